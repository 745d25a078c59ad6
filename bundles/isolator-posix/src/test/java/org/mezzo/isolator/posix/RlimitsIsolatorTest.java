package org.mezzo.isolator.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Rlimit;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.RLimitInfo.RLimit;

class RlimitsIsolatorTest {
  private static RLimit.Builder limit(RLimit.Type type) {
    return RLimit.newBuilder().setType(type);
  }

  private static LaunchPlan plan(RLimit.Builder... limits) throws IOException {
    ContainerInfo.Builder info = ContainerInfo.newBuilder().setType(ContainerInfo.Type.MESOS);
    for (RLimit.Builder limit : limits) {
      info.getRlimitInfoBuilder().addRlimits(limit);
    }
    return new RlimitsIsolator()
        .prepare(Container.builder("c", Path.of("/sandbox")).info(info.build()).build());
  }

  @Test
  void limitsAreHandedToTheLauncher() throws Exception {
    assertThat(
            plan(
                    limit(RLimit.Type.RLMT_NOFILE).setSoft(10).setHard(20),
                    limit(RLimit.Type.RLMT_CORE),
                    // As -1 of C, which is more than any signed number.
                    limit(RLimit.Type.RLMT_AS).setSoft(1).setHard(-1))
                .rlimits())
        .containsOnly(
            java.util.Map.entry(
                "RLIMIT_NOFILE", new Rlimit(OptionalLong.of(10), OptionalLong.of(20))),
            java.util.Map.entry(
                "RLIMIT_CORE", new Rlimit(OptionalLong.empty(), OptionalLong.empty())),
            java.util.Map.entry("RLIMIT_AS", new Rlimit(OptionalLong.of(1), OptionalLong.of(-1))));
    assertThat(plan()).isSameAs(LaunchPlan.NONE);
    assertThat(new RlimitsIsolator().prepare(Container.builder("c", Path.of("/sandbox")).build()))
        .isSameAs(LaunchPlan.NONE);
  }

  @Test
  void whatMakesNoSenseIsNamed() {
    assertThatThrownBy(() -> plan(limit(RLimit.Type.RLMT_NOFILE).setSoft(10)))
        .hasMessageContaining("both `soft` and `hard` of RLIMIT_NOFILE");
    assertThatThrownBy(() -> plan(limit(RLimit.Type.RLMT_CPU).setSoft(3).setHard(2)))
        .hasMessageContaining("RLIMIT_CPU above its `hard` one: 3 > 2");
    assertThatThrownBy(() -> plan(limit(RLimit.Type.RLMT_NICE), limit(RLimit.Type.RLMT_NICE)))
        .hasMessageContaining("RLIMIT_NICE twice");
    assertThatThrownBy(() -> plan(RLimit.newBuilder().setSoft(1).setHard(1)))
        .hasMessageContaining("`type` is missing");
  }
}
