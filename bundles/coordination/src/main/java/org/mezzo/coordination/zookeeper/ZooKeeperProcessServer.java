package org.mezzo.coordination.zookeeper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.zookeeper.server.DatadirCleanupManager;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.mezzo.coordination.Coordination;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A ZooKeeper server of this process, on loopback only. */
final class ZooKeeperProcessServer implements Coordination.EmbeddedZooKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperProcessServer.class);
  private static final int TICK_MILLIS = 500;
  private static final int MAX_SESSION_MILLIS = 120_000;

  /** The log file grows by this step; ZooKeeper's own is 64 MB. */
  private static final long LOG_STEP_BYTES = 1 << 20;

  private final ZooKeeperServer server;
  private final ServerCnxnFactory connections;
  private final DatadirCleanupManager cleanup;
  private boolean closed;

  private ZooKeeperProcessServer(
      ZooKeeperServer server, ServerCnxnFactory connections, DatadirCleanupManager cleanup) {
    this.server = server;
    this.connections = connections;
    this.cleanup = cleanup;
  }

  static ZooKeeperProcessServer start(Path dataDir, int port) throws IOException {
    Files.createDirectories(dataDir);
    FileTxnLog.setPreallocSize(LOG_STEP_BYTES);
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(ZooKeeperProcessServer.class.getClassLoader());
    ServerCnxnFactory connections = null;
    try {
      FileTxnSnapLog files = new FileTxnSnapLog(dataDir.toFile(), dataDir.toFile());
      ZooKeeperServer server = new ZooKeeperServer(files, TICK_MILLIS, "");
      server.setMaxSessionTimeout(MAX_SESSION_MILLIS);
      NIOServerCnxnFactory factory = new NIOServerCnxnFactory();
      connections = factory;
      factory.configure(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
      factory.startup(server);
      DatadirCleanupManager cleanup =
          new DatadirCleanupManager(dataDir.toFile(), dataDir.toFile(), 3, 24);
      cleanup.start();
      LOG.info(
          "ZooKeeper listens on {}:{} and keeps its data in {}",
          InetAddress.getLoopbackAddress().getHostAddress(),
          factory.getLocalPort(),
          dataDir);
      return new ZooKeeperProcessServer(server, factory, cleanup);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      connections.shutdown();
      throw new IOException("Interrupted while ZooKeeper started", e);
    } catch (IOException | RuntimeException e) {
      if (connections != null) {
        connections.shutdown();
      }
      throw new IOException(
          "ZooKeeper cannot start on loopback port " + port + " with data in " + dataDir, e);
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  @Override
  public String connectString() {
    return InetAddress.getLoopbackAddress().getHostAddress() + ":" + connections.getLocalPort();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      cleanup.shutdown();
      connections.shutdown();
      server.shutdown(true);
    }
  }
}
