package org.mezzo.coordination.zookeeper;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.mezzo.coordination.Registry;
import org.mezzo.coordination.store.GroupCommit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry of one term, below {@code <path>/mezzo/registry}: one node per key in 256 buckets,
 * because the answer that lists a node's children is limited to 1 MB.
 *
 * <p>Every write is one transaction that also replaces the epoch node, if it still has the version
 * this term gave it. A newer term has changed the version, so that a deposed leader writes nothing.
 * The epoch node's text names the term and the number of the write, which tells after an
 * interrupted connection whether the write has happened.
 */
final class ZooKeeperRegistry implements Registry, GroupCommit.Store {
  private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperRegistry.class);

  /** Rule 163. */
  private static final Duration FETCH_TIMEOUT = Duration.ofSeconds(60);

  /** Rule 163. */
  private static final Duration STORE_TIMEOUT = Duration.ofSeconds(20);

  private static final Duration RETRY = Duration.ofMillis(200);
  private static final int BUCKETS = 256;
  private static final int READS_UNDER_WAY = 256;

  /** What an operation takes beside the root's path, the key and the value. */
  private static final int PATH_BYTES = 130;

  private final CuratorFramework curator;
  private final String root;
  private final String term;
  private final GroupCommit commits;

  /** Paths that exist below the root; null before they were read. For the writer only. */
  private Set<String> known;

  /** The epoch node's version after the last write. For the writer only. */
  private int version;

  private long writes;

  private ZooKeeperRegistry(
      CuratorFramework curator, String root, String term, int version, Executor events) {
    this.curator = curator;
    this.root = root;
    this.term = term;
    this.version = version;
    this.commits = new GroupCommit("coordination-registry", this, events);
  }

  /**
   * Begins a term by changing the epoch node, on the condition that the node which the winner of
   * the election has is there: it is gone when its session has expired meanwhile.
   *
   * @param claim the path of that node; empty for no condition
   * @return empty when the node is gone
   */
  static Optional<Registry> begin(
      CuratorFramework curator, String path, Optional<String> claim, Executor events)
      throws Exception {
    String root = root(path);
    String epoch = root + "/epoch";
    if (curator.checkExists().forPath(epoch) == null) {
      ZooKeeperSession.create(curator, epoch);
    }
    String term =
        claim.map(it -> it.substring(it.lastIndexOf('/') + 1)).orElse("unclaimed")
            + "@"
            + java.util.UUID.randomUUID();
    List<CuratorOp> operations = new ArrayList<>();
    if (claim.isPresent()) {
      operations.add(curator.transactionOp().check().forPath(claim.get()));
    }
    operations.add(curator.transactionOp().setData().forPath(epoch, mark(term, 0)));
    try {
      var results = curator.transaction().forOperations(operations);
      int version = results.get(results.size() - 1).getResultStat().getVersion();
      return Optional.of(new ZooKeeperRegistry(curator, root, term, version, events));
    } catch (KeeperException.NoNodeException e) {
      return Optional.empty();
    }
  }

  private static byte[] mark(String term, long write) {
    return (term + "#" + write).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public CompletionStage<Map<String, byte[]>> load() {
    return commits.call(this::read);
  }

  @Override
  public CompletionStage<Void> apply(List<Change> changes) {
    return commits.apply(changes);
  }

  @Override
  public void end(String reason) {
    commits.close(new IllegalStateException("This term's registry is closed: " + reason));
  }

  private Map<String, byte[]> read() throws Exception {
    long deadline = System.nanoTime() + FETCH_TIMEOUT.toNanos();
    while (true) {
      try {
        return readOnce(deadline);
      } catch (KeeperException.ConnectionLossException e) {
        pauseUntil(deadline, "Registry could not be fetched", FETCH_TIMEOUT);
      }
    }
  }

  private Map<String, byte[]> readOnce(long deadline) throws Exception {
    ZooKeeper zooKeeper = curator.getZookeeperClient().getZooKeeper();
    Set<String> paths = new HashSet<>();
    List<String> sections = existing(root + "/data");
    List<String> buckets = new ArrayList<>();
    if (sections != null) {
      paths.add(root + "/data");
      for (String section : sections) {
        String path = root + "/data/" + section;
        paths.add(path);
        List<String> names = existing(path);
        if (names != null) {
          names.forEach(name -> buckets.add(path + "/" + name));
        }
      }
    }
    paths.addAll(buckets);
    List<String> nodes = new ArrayList<>();
    Reads lists = new Reads(deadline);
    for (String bucket : buckets) {
      lists.begin();
      zooKeeper.getChildren(
          bucket,
          false,
          (code, path, context, children) -> {
            if (code == KeeperException.Code.OK.intValue()) {
              synchronized (nodes) {
                children.forEach(child -> nodes.add(path + "/" + child));
              }
            }
            lists.end(code, path);
          },
          null);
    }
    lists.await();
    Map<String, byte[]> values = new TreeMap<>();
    Reads reads = new Reads(deadline);
    for (String node : nodes) {
      reads.begin();
      zooKeeper.getData(
          node,
          false,
          (code, path, context, data, stat) -> {
            if (code == KeeperException.Code.OK.intValue()) {
              synchronized (values) {
                values.put(key(path), data);
              }
            }
            reads.end(code, path);
          },
          null);
    }
    reads.await();
    paths.addAll(nodes);
    known = paths;
    return values;
  }

  private List<String> existing(String path) throws Exception {
    try {
      return curator.getChildren().forPath(path);
    } catch (KeeperException.NoNodeException e) {
      return null;
    }
  }

  @Override
  public void store(List<Change> changes) throws Exception {
    try {
      storeOnce(changes);
    } catch (KeeperException.NoNodeException | KeeperException.NodeExistsException e) {
      // Somebody has changed nodes by hand, or this batch was refused half way through.
      LOG.warn("Registry nodes are not as they were left, reading them again: {}", e.toString());
      if (curator.checkExists().forPath(root + "/epoch") == null) {
        throw e;
      }
      known = null;
      try {
        storeOnce(changes);
      } catch (KeeperException.NoNodeException | KeeperException.NodeExistsException again) {
        throw new RefusedException("Registry write does not fit: " + again.getMessage(), again);
      }
    } catch (KeeperException.BadArgumentsException
        | KeeperException.NotEmptyException
        | IllegalArgumentException e) {
      throw new RefusedException("Registry write is not valid: " + e.getMessage(), e);
    }
  }

  @Override
  public long bytes(Change change) {
    int value = change.value() == null ? 0 : change.value().length;
    // Its node, and up to three folders that may have to be created.
    return 4L * (root.length() + PATH_BYTES) + 9L * change.key().length() + value;
  }

  private void storeOnce(List<Change> changes) throws Exception {
    if (known == null) {
      read();
    }
    Set<String> after = new HashSet<>();
    Set<String> deleted = new HashSet<>();
    List<CuratorOp> operations = operations(changes, after, deleted);
    long deadline = System.nanoTime() + STORE_TIMEOUT.toNanos();
    long write = ++writes;
    byte[] mark = mark(term, write);
    operations.add(
        0, curator.transactionOp().setData().withVersion(version).forPath(root + "/epoch", mark));
    boolean interrupted = false;
    while (true) {
      try {
        version = commit(operations);
        break;
      } catch (KeeperException.BadVersionException e) {
        Stat stat = new Stat();
        byte[] found = curator.getData().storingStatIn(stat).forPath(root + "/epoch");
        if (interrupted && java.util.Arrays.equals(found, mark)) {
          version = stat.getVersion();
          break;
        }
        throw new IllegalStateException(
            "Registry write refused: another master has been elected since", e);
      } catch (KeeperException.ConnectionLossException
          | KeeperException.SessionExpiredException e) {
        interrupted = true;
        pauseUntil(deadline, "Registry write was not confirmed", STORE_TIMEOUT);
      }
    }
    known.addAll(after);
    known.removeAll(deleted);
  }

  private int commit(List<CuratorOp> operations) throws Exception {
    return curator.transaction().forOperations(operations).get(0).getResultStat().getVersion();
  }

  /** What turns the known nodes into those after the changes, where the last one of a key wins. */
  private List<CuratorOp> operations(List<Change> changes, Set<String> after, Set<String> deleted)
      throws Exception {
    Map<String, byte[]> last = new TreeMap<>();
    Set<String> removed = new HashSet<>();
    for (Change change : changes) {
      String path = path(change.key());
      if (change.value() == null) {
        last.remove(path);
        removed.add(path);
      } else {
        last.put(path, change.value());
        removed.remove(path);
      }
    }
    List<CuratorOp> operations = new ArrayList<>();
    for (Map.Entry<String, byte[]> entry : last.entrySet()) {
      String path = entry.getKey();
      if (known.contains(path)) {
        operations.add(curator.transactionOp().setData().forPath(path, entry.getValue()));
      } else {
        for (int slash = path.indexOf('/', root.length() + 1);
            slash > 0;
            slash = path.indexOf('/', slash + 1)) {
          String parent = path.substring(0, slash);
          if (!known.contains(parent) && after.add(parent)) {
            operations.add(curator.transactionOp().create().forPath(parent, new byte[0]));
          }
        }
        operations.add(curator.transactionOp().create().forPath(path, entry.getValue()));
        after.add(path);
      }
    }
    for (String path : removed) {
      if (known.contains(path)) {
        operations.add(curator.transactionOp().delete().forPath(path));
        deleted.add(path);
      }
    }
    return operations;
  }

  private static void pauseUntil(long deadline, String what, Duration timeout) throws Exception {
    if (System.nanoTime() + RETRY.toNanos() >= deadline) {
      throw new TimeoutException(what + " within " + timeout.toSeconds() + " s");
    }
    LOG.debug("{} yet, trying again", what);
    Thread.sleep(RETRY.toMillis());
  }

  private String path(String key) {
    return path(root, key);
  }

  /** What a registry holds under a key, whoever's term it is; empty when there is nothing. */
  static Optional<byte[]> read(CuratorFramework curator, String path, String key) throws Exception {
    try {
      return Optional.of(curator.getData().forPath(path(root(path), key)));
    } catch (KeeperException.NoNodeException e) {
      return Optional.empty();
    }
  }

  private static String root(String path) {
    return path + "/mezzo/registry";
  }

  private static String path(String root, String key) {
    int slash = key.indexOf('/');
    if (slash < 1 || slash == key.length() - 1) {
      throw new IllegalArgumentException("Registry key must be section/name, but is " + key);
    }
    String name = key.substring(slash + 1);
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.UTF_8));
    return String.format(
        "%s/data/%s/%02x/%s",
        root, encode(key.substring(0, slash)), crc.getValue() % BUCKETS, encode(name));
  }

  private String key(String path) {
    String[] parts = path.substring(root.length() + "/data/".length()).split("/", 3);
    return decode(parts[0]) + "/" + decode(parts[2]);
  }

  /** ZooKeeper forbids slashes, control characters and the names "." and "..". */
  private static String encode(String name) {
    return URLEncoder.encode(name, StandardCharsets.UTF_8).replace(".", "%2E");
  }

  private static String decode(String name) {
    return URLDecoder.decode(name, StandardCharsets.UTF_8);
  }

  /** Requests under way at the same time, which all must succeed. */
  private static final class Reads {
    private final Semaphore permits = new Semaphore(READS_UNDER_WAY);
    private final AtomicReference<KeeperException> failure = new AtomicReference<>();
    private final long deadline;

    Reads(long deadline) {
      this.deadline = deadline;
    }

    void begin() throws Exception {
      acquire(1);
    }

    void end(int code, String path) {
      KeeperException.Code result = KeeperException.Code.get(code);
      // A node that is gone was removed by the previous term while this one began.
      if (result != KeeperException.Code.OK && result != KeeperException.Code.NONODE) {
        failure.compareAndSet(null, KeeperException.create(result, path));
      }
      permits.release();
    }

    void await() throws Exception {
      acquire(READS_UNDER_WAY);
      permits.release(READS_UNDER_WAY);
    }

    private void acquire(int count) throws Exception {
      long left = deadline - System.nanoTime();
      if (!permits.tryAcquire(count, Math.max(0, left), TimeUnit.NANOSECONDS)) {
        throw new TimeoutException(
            "Registry could not be fetched within " + FETCH_TIMEOUT.toSeconds() + " s");
      }
      if (failure.get() != null) {
        throw failure.get();
      }
    }
  }
}
