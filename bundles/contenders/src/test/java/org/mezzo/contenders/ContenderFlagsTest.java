package org.mezzo.contenders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Coordinations;
import org.mezzo.testing.FakeClock;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeSink;

class ContenderFlagsTest {
  private final StandaloneContender standalone = new StandaloneContender();
  private final ZooKeeperContender zooKeeper = new ZooKeeperContender(Coordinations.create());

  private static FakeDaemonContext at(String url) {
    return FakeDaemonContext.master().withFlags(Map.of("zk", url));
  }

  @Test
  void whoHasPeersIsNotAlone() {
    assertThatThrownBy(() -> standalone.open(at("zk://a:b@h:1/m")))
        .hasMessageContaining("take the contender zookeeper")
        .hasMessageNotContaining("a:b");
    standalone.open(FakeDaemonContext.master());
  }

  @Test
  void whoHasNoPlaceToMeetIsAlone() {
    assertThatThrownBy(() -> zooKeeper.open(FakeDaemonContext.master()))
        .hasMessageContaining("--zk is missing")
        .hasMessageContaining("standalone");
    zooKeeper.open(at("zk://h:2181/m"));
  }

  @Test
  void isIllWhenZooKeeperDoesNotAnswer() {
    FakeClock clock = new FakeClock();
    zooKeeper.open(at("zk://127.0.0.1:1/m").withClock(clock));
    zooKeeper.report(new FakeSink<>());
    assertThat(zooKeeper.health()).isEmpty();
    clock.pass(Duration.ofMinutes(1));
    assertThat(zooKeeper.health().orElse("")).contains("ZooKeeper does not answer");
    zooKeeper.close();
  }
}
