package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.ResourceStatistics;

class ContainerUsageTest {
  private static ResourceStatistics.Builder at(double time) {
    return ResourceStatistics.newBuilder().setTimestamp(time);
  }

  @Test
  void whatSeveralContainersUseIsAddedUp() {
    ResourceStatistics one =
        at(2).setCpusUserTimeSecs(0.5).setMemRssBytes(10).setCpusLimit(1).setProcesses(3).build();
    ResourceStatistics other = at(1).setCpusUserTimeSecs(0.25).setMemRssBytes(5).build();
    assertThat(ContainerUsage.sum(Optional.of(one), Optional.of(other)))
        .hasValue(
            at(2)
                .setCpusUserTimeSecs(0.75)
                .setMemRssBytes(15)
                .setCpusLimit(1)
                .setProcesses(3)
                .build());
    assertThat(ContainerUsage.sum(Optional.empty(), Optional.of(one))).hasValue(one);
    assertThat(ContainerUsage.sum(Optional.of(one), Optional.empty())).hasValue(one);
    assertThat(ContainerUsage.sum(Optional.empty(), Optional.empty())).isEmpty();
  }
}
