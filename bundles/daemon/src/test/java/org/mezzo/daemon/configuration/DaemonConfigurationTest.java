package org.mezzo.daemon.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DaemonConfigurationTest {
  @Test
  void flagsAreWhatHasNoDotInItsName() {
    DaemonConfiguration configuration =
        DaemonConfiguration.of(
            Map.of(
                "mezzo.daemon", "agent-2",
                "service.pid", "org.mezzo.agent~agent-2",
                "component.id", 7L,
                "port", 5051L,
                "work_dir", "/var/lib/mezzo"),
            "agent");
    assertThat(configuration.name()).isEqualTo("agent-2");
    assertThat(configuration.flags())
        .isEqualTo(Map.of("port", "5051", "work_dir", "/var/lib/mezzo"));
  }

  @Test
  void withoutNameItIsCalledByItsRole() {
    assertThat(DaemonConfiguration.of(Map.of(), "master").name()).isEqualTo("master");
  }
}
