package org.mezzo.driver.leaders;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ServerCnxn;
import org.apache.zookeeper.server.ZooKeeperServer;

/** A server on a port of its own, which keeps port and data when it is started again. */
public final class TestZooKeeper implements AutoCloseable {
  private final Path folder;
  private ZooKeeperServer server;
  private NIOServerCnxnFactory connections;
  private int port;

  public TestZooKeeper(Path folder) throws Exception {
    this.folder = folder;
    start();
  }

  public void start() throws Exception {
    server = new ZooKeeperServer(folder.toFile(), folder.toFile(), 200);
    connections = new NIOServerCnxnFactory();
    connections.configure(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    connections.startup(server);
    port = connections.getLocalPort();
  }

  public void stop() {
    connections.shutdown();
    server.shutdown(true);
  }

  public String servers() {
    return "127.0.0.1:" + port;
  }

  /** Ends the sessions of all clients but of those that it gives out. */
  public void expireSessions(ZooKeeper... kept) {
    List<Long> spared = Arrays.stream(kept).map(ZooKeeper::getSessionId).toList();
    for (ServerCnxn each : connections.getConnections()) {
      if (!spared.contains(each.getSessionId())) {
        server.closeSession(each.getSessionId());
      }
    }
  }

  public ZooKeeper client() throws IOException, InterruptedException {
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper client =
        ZooKeeperClients.open(
            servers(),
            10_000,
            event -> {
              if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
              }
            },
            Optional.empty());
    if (!connected.await(30, TimeUnit.SECONDS)) {
      throw new IOException("no connection");
    }
    return client;
  }

  static void put(ZooKeeper client, String path, String data) throws Exception {
    client.create(
        path,
        data.getBytes(StandardCharsets.UTF_8),
        ZooDefs.Ids.OPEN_ACL_UNSAFE,
        CreateMode.PERSISTENT);
  }

  @Override
  public void close() {
    stop();
  }
}
