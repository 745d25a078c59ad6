package org.mezzo.modules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.api.Module;

final class KindsTest {

  @Test
  void kindsAreFoundByName() {
    for (Kind<?> kind : Kinds.all()) {
      assertThat(Kinds.named(kind.name())).isEqualTo(Optional.of(kind));
      assertThat(kind.deadline().isPresent() ^ kind.stall().isPresent())
          .as("%s ends by a deadline, or else by a limit of its stalls", kind.name())
          .isTrue();
    }
    assertThat(Kinds.named("nothing")).isEmpty();
  }

  @Test
  void aKindWhoseCallsFollowEachOtherHasOneAtATime() {
    assertThatThrownBy(() -> Kind.parallel(Module.class, "several", 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Kind.serial(Module.class, "one").moved(Kind.Moving.BESIDE))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
