package org.mezzo.driver.leaders;

import java.io.IOException;
import java.util.Optional;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;

/** Connects with ZooKeeper by what the JDK has, without the Netty that it can use. */
public final class ZooKeeperClients {
  /** Asks its classes for TLS, which need Netty, for no names of properties. */
  private static final class Config extends ZKClientConfig {
    @Override
    protected void handleBackwardCompatibility() {
      // Properties of the process are meant for clients of the framework.
    }
  }

  private ZooKeeperClients() {}

  /**
   * One that gets its connection when the servers are there.
   *
   * @param servers {@code host:port,...}
   * @param digest {@code user:password}
   */
  public static ZooKeeper open(
      String servers, int sessionMs, Watcher watcher, Optional<byte[]> digest) throws IOException {
    ZooKeeper opened = new ZooKeeper(servers, sessionMs, watcher, new Config());
    digest.ifPresent(it -> opened.addAuthInfo("digest", it));
    return opened;
  }
}
