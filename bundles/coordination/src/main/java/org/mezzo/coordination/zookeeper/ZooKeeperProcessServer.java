package org.mezzo.coordination.zookeeper;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.apache.zookeeper.server.persistence.Util;
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

  private static final int SNAPSHOTS = 3;

  private final ZooKeeperServer server;
  private final ServerCnxnFactory connections;
  private final ScheduledExecutorService cleanup;
  private boolean closed;

  private ZooKeeperProcessServer(
      ZooKeeperServer server, ServerCnxnFactory connections, FileTxnSnapLog files) {
    this.server = server;
    this.connections = connections;
    this.cleanup =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "zookeeper-cleanup");
              thread.setDaemon(true);
              return thread;
            });
    cleanup.scheduleWithFixedDelay(() -> removeOld(files), 1, 60, TimeUnit.MINUTES);
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
      LOG.info(
          "ZooKeeper listens on {}:{} and keeps its data in {}",
          InetAddress.getLoopbackAddress().getHostAddress(),
          factory.getLocalPort(),
          dataDir);
      return new ZooKeeperProcessServer(server, factory, files);
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

  /** Removes snapshots beyond the newest few, and logs that only older ones would need. */
  private static void removeOld(FileTxnSnapLog files) {
    try {
      List<File> kept = files.findNValidSnapshots(SNAPSHOTS);
      if (kept.size() < SNAPSHOTS) {
        return;
      }
      long oldest = Util.getZxidFromName(kept.get(kept.size() - 1).getName(), "snapshot");
      List<File> needed = List.of(files.getSnapshotLogs(oldest));
      File[] all = files.getSnapDir().listFiles();
      for (File file : all == null ? new File[0] : all) {
        long snapshot = Util.getZxidFromName(file.getName(), "snapshot");
        long log = Util.getZxidFromName(file.getName(), "log");
        boolean old = snapshot >= 0 && snapshot < oldest || log >= 0 && log < oldest;
        if (old && !needed.contains(file)) {
          Files.deleteIfExists(file.toPath());
        }
      }
    } catch (IOException e) {
      LOG.warn("Old ZooKeeper data was not removed: {}", e.toString());
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
      cleanup.shutdownNow();
      connections.shutdown();
      server.shutdown(true);
    }
  }
}
