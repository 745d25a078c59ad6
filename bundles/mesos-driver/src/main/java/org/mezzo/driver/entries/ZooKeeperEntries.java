package org.mezzo.driver.entries;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.mezzo.driver.leaders.ZooKeeperClients;

/**
 * Entries in ZooKeeper, each in a node of its name below one path, as libmesos keeps them. All
 * methods wait for as long as ZooKeeper is away. For one thread.
 */
public final class ZooKeeperEntries implements Closeable {
  private static final Logger LOG = Logger.getLogger(ZooKeeperEntries.class.getName());

  private static final int MOST_BYTES = 1 << 20;

  /** A server cuts off who sends it a request that is larger, of which the entry is not all. */
  private static final int MOST_OF_A_REQUEST = Integer.getInteger("jute.maxbuffer", 0xfffff);

  private static final int REST_OF_A_REQUEST = 1024;
  private static final long AGAIN_MS = 200;

  private interface Operation<T> {
    T of(ZooKeeper client) throws KeeperException, IOException, InterruptedException;
  }

  private final String servers;
  private final int sessionMs;
  private final String path;
  private final Optional<byte[]> digest;
  private ZooKeeper client;

  /**
   * Does not wait for a connection.
   *
   * @param servers {@code host:port,...}
   * @param path absolute; what there is not of it is made with the first entry
   * @param digest {@code user:password}, which alone may then change the entries it makes
   * @throws IllegalArgumentException when there can be no such place
   */
  public ZooKeeperEntries(String servers, int sessionMs, String path, Optional<byte[]> digest) {
    if (servers.isEmpty() || servers.contains("://") || servers.contains("@")) {
      throw new IllegalArgumentException(
          "the servers of ZooKeeper have to be host:port,host:port alone, without zk:// and"
              + " credentials, which are arguments of their own");
    }
    String trimmed = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    if (!path.startsWith("/") || trimmed.contains("//") || trimmed.endsWith("/")) {
      throw new IllegalArgumentException(
          "'" + path + "' is no path in ZooKeeper; give an absolute one, as /framework/state");
    }
    this.servers = servers;
    this.sessionMs = sessionMs;
    this.path = trimmed;
    this.digest = digest.map(byte[]::clone);
    try {
      this.client = opened();
    } catch (IOException e) {
      throw new IllegalArgumentException("there can be no ZooKeeper at '" + servers + "': " + e, e);
    }
  }

  private ZooKeeper opened() throws IOException {
    return ZooKeeperClients.open(servers, sessionMs, event -> {}, digest);
  }

  public Optional<Entry> get(String name) throws IOException, InterruptedException {
    return done("get '" + name + "'", it -> read(it, name, new Stat()));
  }

  /**
   * Puts one in the place of another, or where there is none.
   *
   * @param before of the same name
   * @return whether it did, which it does not when what is there is neither of them
   */
  public boolean set(Entry entry, Entry before) throws IOException, InterruptedException {
    byte[] encoded = entry.encoded();
    int most =
        Math.min(
            MOST_BYTES,
            MOST_OF_A_REQUEST
                - REST_OF_A_REQUEST
                - node(entry.name()).getBytes(StandardCharsets.UTF_8).length);
    if (encoded.length > most) {
      throw new IOException(
          "'"
              + entry.name()
              + "' is too big for ZooKeeper: it takes "
              + encoded.length
              + " bytes of at most "
              + most);
    }
    return done("set '" + entry.name() + "'", it -> set(it, entry, encoded, before));
  }

  private boolean set(ZooKeeper zooKeeper, Entry entry, byte[] encoded, Entry before)
      throws KeeperException, IOException, InterruptedException {
    Stat stat = new Stat();
    Optional<Entry> current = read(zooKeeper, entry.name(), stat);
    if (!current.isPresent()) {
      return create(zooKeeper, entry, encoded);
    }
    if (current.get().isOfSameMark(entry)) {
      // By a try whose answer was lost with its connection.
      return true;
    }
    if (!current.get().isOfSameMark(before)) {
      return false;
    }
    try {
      zooKeeper.setData(node(entry.name()), encoded, stat.getVersion());
      return true;
    } catch (KeeperException.BadVersionException | KeeperException.NoNodeException e) {
      return false;
    }
  }

  private boolean create(ZooKeeper zooKeeper, Entry entry, byte[] encoded)
      throws KeeperException, InterruptedException {
    for (int end = path.indexOf('/', 1); !path.isEmpty(); end = path.indexOf('/', end + 1)) {
      create(zooKeeper, end < 0 ? path : path.substring(0, end), new byte[0]);
      if (end < 0) {
        break;
      }
    }
    return create(zooKeeper, node(entry.name()), encoded);
  }

  private boolean create(ZooKeeper zooKeeper, String node, byte[] data)
      throws KeeperException, InterruptedException {
    try {
      zooKeeper.create(node, data, rights(), CreateMode.PERSISTENT);
      return true;
    } catch (KeeperException.NodeExistsException e) {
      return false;
    }
  }

  private List<ACL> rights() {
    if (!digest.isPresent()) {
      return Ids.OPEN_ACL_UNSAFE;
    }
    List<ACL> rights = new ArrayList<>(Ids.READ_ACL_UNSAFE);
    rights.addAll(Ids.CREATOR_ALL_ACL);
    return rights;
  }

  /**
   * Removes one.
   *
   * @return whether it did, which it does not when it has been changed or removed
   */
  public boolean expunge(Entry entry) throws IOException, InterruptedException {
    return done("expunge '" + entry.name() + "'", it -> expunge(it, entry));
  }

  private boolean expunge(ZooKeeper zooKeeper, Entry entry)
      throws KeeperException, IOException, InterruptedException {
    Stat stat = new Stat();
    Optional<Entry> current = read(zooKeeper, entry.name(), stat);
    if (!current.isPresent() || !current.get().isOfSameMark(entry)) {
      return false;
    }
    try {
      zooKeeper.delete(node(entry.name()), stat.getVersion());
      return true;
    } catch (KeeperException.BadVersionException | KeeperException.NoNodeException e) {
      return false;
    }
  }

  /** Of all entries. Fails when nothing was ever kept below the path, as libmesos does. */
  public List<String> names() throws IOException, InterruptedException {
    return done("list the entries", it -> it.getChildren(path.isEmpty() ? "/" : path, false));
  }

  private Optional<Entry> read(ZooKeeper zooKeeper, String name, Stat stat)
      throws KeeperException, IOException, InterruptedException {
    byte[] data;
    try {
      data = zooKeeper.getData(node(name), false, stat);
    } catch (KeeperException.NoNodeException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(Entry.read(data == null ? new byte[0] : data));
    } catch (IOException e) {
      throw new IOException(
          "what is at " + node(name) + " in ZooKeeper is no entry: " + e.getMessage(), e);
    }
  }

  private String node(String name) {
    return path + "/" + name;
  }

  private <T> T done(String what, Operation<T> operation) throws IOException, InterruptedException {
    boolean told = false;
    for (; ; ) {
      try {
        return operation.of(client);
      } catch (KeeperException.SessionExpiredException e) {
        client.close();
        client = opened();
      } catch (KeeperException.ConnectionLossException
          | KeeperException.OperationTimeoutException
          | KeeperException.SessionMovedException e) {
        if (!told) {
          LOG.log(
              Level.WARNING,
              "ZooKeeper at {0} is not connected; to {1} below {2} waits for it",
              new Object[] {servers, what, path});
          told = true;
        }
        Thread.sleep(AGAIN_MS);
      } catch (KeeperException.NoAuthException e) {
        throw new IOException(
            "to "
                + what
                + " below "
                + path
                + " in ZooKeeper is not allowed; give the credentials of who made it",
            e);
      } catch (KeeperException e) {
        throw new IOException(
            "failed to " + what + " below " + path + " in ZooKeeper: " + e.getMessage(), e);
      } catch (IllegalArgumentException e) {
        throw new IOException("failed to " + what + ": " + e.getMessage(), e);
      }
    }
  }

  @Override
  public void close() {
    try {
      client.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
