package org.mezzo.contenders;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Coordinations;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.MasterContenderContract;

class ZooKeeperContenderContractTest extends MasterContenderContract {
  private static final Coordination COORDINATION = Coordinations.create();
  private static Coordination.EmbeddedZooKeeper server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    server = COORDINATION.embedded(folder, 0);
    // The server opens its log when something is written first, which is nothing of the modules'.
    try (Coordination.Election session =
        COORDINATION.zooKeeper(url(), Duration.ofSeconds(10), Runnable::run)) {
      session.begin(Optional.empty()).toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
  }

  private static String url() {
    return "zk://" + server.connectString() + "/mezzo";
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected MasterContender module() {
    return new ZooKeeperContender(COORDINATION);
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(Map.of("zk", url(), "zk_session_timeout", "10secs"));
  }
}
