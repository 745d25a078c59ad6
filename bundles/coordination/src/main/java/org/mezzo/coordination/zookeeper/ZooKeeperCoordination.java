package org.mezzo.coordination.zookeeper;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.store.StandaloneSession;
import org.osgi.service.component.annotations.Component;

/** The coordination service. */
@Component
public final class ZooKeeperCoordination implements Coordination {

  /**
   * Whether a text is a ZooKeeper URL.
   *
   * @throws IllegalArgumentException when it is none; the message says why, without passwords
   */
  public static void check(String url) {
    ZooKeeperUrl.parse(url);
  }

  @Override
  public Election zooKeeper(String url, Duration sessionTimeout, Executor events) {
    return new ZooKeeperSession(ZooKeeperUrl.parse(url), sessionTimeout, events);
  }

  @Override
  public Session standalone(Path workDir, Executor events) throws IOException {
    return new StandaloneSession(workDir, events);
  }

  @Override
  public EmbeddedZooKeeper embedded(Path dataDir, int port) throws IOException {
    return ZooKeeperProcessServer.start(dataDir, port);
  }
}
