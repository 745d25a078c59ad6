package {{package}};

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} authorizer = new {{class}}();

  @BeforeEach
  void open() {
    authorizer.open(
        FakeDaemonContext.master().withParameters(Map.of("administrators", "ann, bob")));
  }

  private boolean may(Optional<Principal> who, Action action) {
    return authorizer
        .approver(who, Set.of(action))
        .approved(action, AuthorizationObject.ANY);
  }

  @Test
  void administratorsMayDoEverything() {
    for (Action action : Action.values()) {
      assertThat(may(Optional.of(Principal.named("ann")), action)).as(action.name()).isTrue();
      assertThat(may(Optional.of(Principal.named("bob")), action)).as(action.name()).isTrue();
    }
  }

  @Test
  void othersMayLookAndRunTasks() {
    for (Optional<Principal> who :
        Set.of(Optional.<Principal>empty(), Optional.of(Principal.named("eve")))) {
      assertThat(may(who, Action.VIEW_TASK)).isTrue();
      assertThat(may(who, Action.RUN_TASK)).isTrue();
      assertThat(may(who, Action.TEARDOWN_FRAMEWORK)).isFalse();
      assertThat(may(who, Action.UPDATE_QUOTA)).isFalse();
    }
  }
}
