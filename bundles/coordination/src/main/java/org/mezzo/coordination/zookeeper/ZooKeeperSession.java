package org.mezzo.coordination.zookeeper;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Coordination.CandidacyListener;
import org.mezzo.coordination.Coordination.LeaderListener;
import org.mezzo.coordination.Registry;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One daemon's connection to ZooKeeper. Everything that talks to ZooKeeper runs on one thread of
 * the session, where it may block for a moment; watches and connection changes only ask that thread
 * to look again, so that a lost or doubled notification does no harm.
 */
final class ZooKeeperSession implements Coordination.Election {
  private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperSession.class);
  private static final Duration RESIGN_WAIT = Duration.ofSeconds(2);
  private static final Duration RETRY = Duration.ofMillis(500);

  private final ZooKeeperUrl url;
  private final Executor events;
  private final CuratorFramework curator;
  private final ScheduledThreadPoolExecutor worker;
  private final List<Candidate> candidates = new CopyOnWriteArrayList<>();
  private final List<Follower> followers = new CopyOnWriteArrayList<>();

  /** The latest term's alone. */
  private final AtomicReference<Optional<Registry>> registry =
      new AtomicReference<>(Optional.empty());

  private final CuratorWatcher watcher = event -> refreshSoon();
  private volatile boolean closed;

  /** What was complained of last. For the worker only. */
  private String trouble = "";

  /** Whether a refresh waits on the worker already; guarded by this. */
  private boolean refreshQueued;

  ZooKeeperSession(ZooKeeperUrl url, Duration sessionTimeout, Executor events) {
    this.url = url;
    this.events = events;
    this.worker =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "coordination-" + url.path().substring(1));
              thread.setDaemon(true);
              thread.setContextClassLoader(ZooKeeperSession.class.getClassLoader());
              return thread;
            });
    worker.setRemoveOnCancelPolicy(true);
    ZKClientConfig config = new ZKClientConfig();
    config.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "false");
    int timeoutMillis = Math.toIntExact(sessionTimeout.toMillis());
    CuratorFrameworkFactory.Builder builder =
        CuratorFrameworkFactory.builder()
            .connectString(url.servers())
            .sessionTimeoutMs(timeoutMillis)
            .connectionTimeoutMs(Math.min(timeoutMillis, 5_000))
            .retryPolicy(new RetryOneTime(100))
            .zkClientConfig(config)
            .dontUseContainerParents()
            .aclProvider(new Acls(url.credentials().isPresent()));
    url.credentials()
        .ifPresent(
            credentials ->
                builder.authorization("digest", credentials.getBytes(StandardCharsets.UTF_8)));
    this.curator = builder.build();
    curator.getConnectionStateListenable().addListener((c, state) -> connection(state), worker);
    curator.start();
  }

  @Override
  public Coordination.Candidacy contend(MasterInfo self, CandidacyListener listener) {
    Candidate candidate = new Candidate(self, listener);
    candidates.add(candidate);
    refreshSoon();
    return candidate;
  }

  @Override
  public AutoCloseable detect(LeaderListener listener) {
    Follower follower = new Follower(listener);
    followers.add(follower);
    refreshSoon();
    return () -> {
      follower.closed = true;
      followers.remove(follower);
    };
  }

  @Override
  public CompletionStage<Optional<Registry>> begin(Optional<String> claim) {
    CompletableFuture<Optional<Registry>> begun = new CompletableFuture<>();
    if (closed) {
      begun.completeExceptionally(new IllegalStateException("The session is closed"));
    }
    submit(
        () -> {
          try {
            Optional<Registry> term = ZooKeeperRegistry.begin(curator, url.path(), claim, events);
            if (term.isPresent()) {
              registry.getAndSet(term).ifPresent(before -> before.end("the next term has begun"));
            }
            tell(() -> begun.complete(term));
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } catch (Exception e) {
            tell(() -> begun.completeExceptionally(e));
          }
        });
    return begun;
  }

  @Override
  public Optional<Coordination.Board> board() {
    return Optional.of(new ZooKeeperBoard(curator, url.path(), this::submit, events));
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    for (Candidate candidate : candidates) {
      candidate.close();
    }
    closed = true;
    registry.getAndSet(Optional.empty()).ifPresent(it -> it.end("the session is closed"));
    worker.shutdownNow();
    curator.close();
  }

  private void connection(ConnectionState state) {
    switch (state) {
      case LOST -> {
        LOG.warn("ZooKeeper session at {} has expired", url);
        for (Candidate candidate : candidates) {
          candidate.lose("the ZooKeeper session expired");
        }
        for (Follower follower : followers) {
          follower.tell(Optional.empty());
        }
      }
      case SUSPENDED ->
          LOG.warn("Connection to ZooKeeper at {} is interrupted; trying to reconnect", url);
      case CONNECTED, RECONNECTED -> {
        LOG.info("Connected to ZooKeeper at {}", url);
        refreshSoon();
      }
      default -> {}
    }
  }

  private synchronized void refreshSoon() {
    if (!refreshQueued && !closed) {
      refreshQueued = true;
      submit(this::refresh);
    }
  }

  private void submit(Runnable task) {
    try {
      worker.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("Coordination at {} is closed", url);
    }
  }

  /** Brings candidates and followers in line with what ZooKeeper holds. */
  private void refresh() {
    synchronized (this) {
      refreshQueued = false;
    }
    if (closed) {
      return;
    }
    try {
      for (Candidate candidate : candidates) {
        candidate.enter();
      }
      List<String> children = children();
      Optional<String> leader = MasterNodes.leader(children);
      for (Candidate candidate : candidates) {
        candidate.see(children, leader);
      }
      follow(leader);
      trouble = "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (KeeperException.ConnectionLossException | KeeperException.SessionExpiredException e) {
      LOG.debug("ZooKeeper at {} does not answer, trying again", url, e);
      retrySoon();
    } catch (Exception e) {
      tellTrouble(e.toString());
      retrySoon();
    }
  }

  /** Says once what keeps the election from going on. */
  private void tellTrouble(String what) {
    if (!what.equals(trouble)) {
      trouble = what;
      LOG.warn("Election at {} does not go on, trying again: {}", url, what);
    }
  }

  private void retrySoon() {
    if (!closed) {
      try {
        worker.schedule(this::refreshSoon, RETRY.toMillis(), TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("Coordination at {} is closed", url);
      }
    }
  }

  private List<String> children() throws Exception {
    try {
      return curator.getChildren().usingWatcher(watcher).forPath(url.path());
    } catch (KeeperException.NoNodeException e) {
      create(curator, url.path());
      return curator.getChildren().usingWatcher(watcher).forPath(url.path());
    }
  }

  /** Creates a node and its parents; that another has done so is as good. */
  static void create(CuratorFramework curator, String path) throws Exception {
    for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
      createOne(curator, path.substring(0, slash));
    }
    createOne(curator, path);
  }

  private static void createOne(CuratorFramework curator, String path) throws Exception {
    // Who may not create what is there anyway need not.
    if (curator.checkExists().forPath(path) == null) {
      try {
        create(curator, path, CreateMode.PERSISTENT, new byte[0]);
      } catch (KeeperException.NodeExistsException e) {
        LOG.debug("{} was there", path);
      }
    }
  }

  /**
   * Creates a node below one that is there. In a transaction: outside of one Curator asks in a way
   * that ZooKeeper knows since 3.5, and many clusters of Mesos have 3.4.
   *
   * @return its path, with the number that it got where it gets one
   */
  static String create(CuratorFramework curator, String path, CreateMode mode, byte[] data)
      throws Exception {
    return curator
        .transaction()
        .forOperations(curator.transactionOp().create().withMode(mode).forPath(path, data))
        .get(0)
        .getResultPath();
  }

  private void follow(Optional<String> leader) throws Exception {
    if (followers.isEmpty()) {
      return;
    }
    Optional<MasterInfo> info = Optional.empty();
    if (leader.isPresent()) {
      String path = url.path() + "/" + leader.get();
      try {
        byte[] json = curator.getData().forPath(path);
        info = Optional.of(Json.decode(json, MasterInfo.getDefaultInstance()));
      } catch (KeeperException.NoNodeException e) {
        refreshSoon();
        return;
      } catch (java.io.IOException e) {
        LOG.warn("Leader's node {} cannot be read as MasterInfo: {}", path, e.getMessage());
      }
    }
    for (Follower follower : followers) {
      follower.tell(info);
    }
  }

  private void tell(Runnable event) {
    try {
      events.execute(event);
    } catch (RejectedExecutionException e) {
      LOG.debug("The daemon takes no events any more");
    }
  }

  /** Everybody may read, who created may write, when there are credentials. */
  private record Acls(boolean authenticated) implements ACLProvider {
    @Override
    public List<ACL> getDefaultAcl() {
      if (!authenticated) {
        return ZooDefs.Ids.OPEN_ACL_UNSAFE;
      }
      // ZooKeeper asks whether the list contains null, which List.of does not stand.
      return Arrays.asList(ZooDefs.Ids.READ_ACL_UNSAFE.get(0), ZooDefs.Ids.CREATOR_ALL_ACL.get(0));
    }

    @Override
    public List<ACL> getAclForPath(String path) {
      return getDefaultAcl();
    }
  }

  /** Somebody who wants to know the leader. */
  private final class Follower {
    private final LeaderListener listener;
    private volatile boolean closed;

    /** What was told last, null before; for the worker only. */
    private Optional<MasterInfo> told;

    Follower(LeaderListener listener) {
      this.listener = listener;
    }

    void tell(Optional<MasterInfo> leader) {
      if (Objects.equals(told, leader)) {
        return;
      }
      told = leader;
      ZooKeeperSession.this.tell(
          () -> {
            if (!closed) {
              listener.leader(leader);
            }
          });
    }
  }

  /** A place in the election; its fields are for the worker only. */
  private final class Candidate implements Coordination.Candidacy {
    private final byte[] json;
    private final CandidacyListener listener;
    private final CompletableFuture<Void> over = new CompletableFuture<>();

    /** The node's name, null before it exists. */
    private String node;

    /** The session that tried to create the node, 0 before. */
    private long creator;

    private boolean elected;
    private boolean ended;

    Candidate(MasterInfo self, CandidacyListener listener) {
      this.json = Json.encode(self);
      this.listener = listener;
    }

    /** Creates the node, or finds the one that an interrupted attempt has created. */
    void enter() throws Exception {
      if (ended || node != null) {
        return;
      }
      long session = curator.getZookeeperClient().getZooKeeper().getSessionId();
      if (creator != 0 && creator == session) {
        node = created(session);
      }
      if (node == null) {
        creator = session;
        ZooKeeperSession.create(curator, url.path());
        String path =
            ZooKeeperSession.create(
                curator,
                url.path() + "/" + MasterNodes.PREFIX,
                CreateMode.EPHEMERAL_SEQUENTIAL,
                json);
        node = path.substring(path.lastIndexOf('/') + 1);
      }
      LOG.info("Entered the election at {} as {}", url, node);
    }

    private String created(long session) throws Exception {
      List<String> children;
      try {
        children = curator.getChildren().forPath(url.path());
      } catch (KeeperException.NoNodeException e) {
        return null;
      }
      for (String child : children) {
        if (child.startsWith(MasterNodes.PREFIX)) {
          Stat stat = curator.checkExists().forPath(url.path() + "/" + child);
          if (stat != null && stat.getEphemeralOwner() == session) {
            byte[] data = curator.getData().forPath(url.path() + "/" + child);
            if (Arrays.equals(data, json)) {
              return child;
            }
          }
        }
      }
      return null;
    }

    void see(List<String> children, Optional<String> leader) throws Exception {
      if (ended || node == null) {
        return;
      }
      if (!children.contains(node)) {
        lose("its node " + node + " is gone");
        return;
      }
      if (!elected && leader.isPresent() && leader.get().equals(node)) {
        elected = true;
        LOG.info("Elected leader at {} as {}", url, node);
        String claim = url.path() + "/" + node;
        tell(() -> listener.elected(claim));
      }
    }

    /** Ends the candidacy, once. */
    void lose(String reason) {
      if (ended || (node == null && creator == 0)) {
        return;
      }
      end(reason);
    }

    private void end(String reason) {
      ended = true;
      candidates.remove(this);
      tell(() -> listener.lost(reason));
      over.complete(null);
    }

    @Override
    public void close() {
      submit(this::resign);
      try {
        over.get(RESIGN_WAIT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (TimeoutException e) {
        LOG.warn("ZooKeeper at {} did not confirm the resignation; its session will expire", url);
      } catch (java.util.concurrent.ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }

    private void resign() {
      if (ended) {
        return;
      }
      try {
        long session = curator.getZookeeperClient().getZooKeeper().getSessionId();
        if (node == null && creator == session && creator != 0) {
          node = created(session);
        }
        if (node != null) {
          curator.delete().forPath(url.path() + "/" + node);
        }
      } catch (KeeperException.NoNodeException e) {
        LOG.debug("Node {} was gone before the resignation", node);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        LOG.warn("Cannot remove {} now: {}; it goes when the session ends", node, e.toString());
      }
      end("resigned");
    }
  }
}
