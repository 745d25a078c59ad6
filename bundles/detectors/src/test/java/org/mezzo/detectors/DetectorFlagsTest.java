package org.mezzo.detectors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Coordinations;
import org.mezzo.testing.FakeClock;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeSink;

/** What the detectors make of flags that do not fit them, and of a ZooKeeper that is not there. */
class DetectorFlagsTest {
  private final StandaloneDetector standalone = new StandaloneDetector();
  private final ZooKeeperDetector zooKeeper = new ZooKeeperDetector(Coordinations.create());

  @Test
  void theOneMasterIsNoUrl() {
    assertThatThrownBy(() -> standalone.open(FakeDaemonContext.agent()))
        .hasMessageContaining("--master is missing");
    assertThatThrownBy(
            () ->
                standalone.open(
                    FakeDaemonContext.agent().withFlags(Map.of("master", "zk://a:b@h:1/m"))))
        .hasMessageContaining("host:port")
        .hasMessageNotContaining("a:b");
  }

  @Test
  void aUrlIsTakenOfTheFlagOfTheRole() {
    Map<String, String> other = Map.of("master", "h:5050");
    assertThatThrownBy(() -> zooKeeper.open(FakeDaemonContext.agent().withFlags(other)))
        .hasMessageContaining("--master is no ZooKeeper URL");
    assertThatThrownBy(() -> zooKeeper.open(FakeDaemonContext.master().withFlags(other)))
        .hasMessageContaining("--zk is missing");
    zooKeeper.open(FakeDaemonContext.master().withFlags(Map.of("zk", "zk://h:2181/m")));
  }

  @Test
  void isIllWhenZooKeeperDoesNotAnswer() {
    FakeClock clock = new FakeClock();
    zooKeeper.open(
        FakeDaemonContext.agent()
            .withClock(clock)
            .withFlags(Map.of("master", "zk://127.0.0.1:1/m")));
    zooKeeper.detect(new FakeSink<>());
    assertThat(zooKeeper.health()).isEmpty();
    clock.pass(Duration.ofMinutes(1));
    assertThat(zooKeeper.health().orElse("")).contains("ZooKeeper does not answer");
    zooKeeper.close();
  }
}
