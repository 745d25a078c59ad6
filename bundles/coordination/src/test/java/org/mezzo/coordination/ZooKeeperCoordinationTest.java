package org.mezzo.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.test.InstanceSpec;
import org.apache.curator.test.TestingServer;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;

class ZooKeeperCoordinationTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ExecutorService events = Executors.newSingleThreadExecutor();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private TestingServer server;
  private CuratorFramework observer;

  @BeforeEach
  void start() throws Exception {
    server = new TestingServer();
    observer = CuratorFrameworkFactory.newClient(server.getConnectString(), new RetryOneTime(100));
    observer.start();
    observer.blockUntilConnected();
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable session : opened) {
      session.close();
    }
    observer.close();
    server.close();
    events.shutdownNow();
  }

  @Test
  void firstCandidateLeadsAndTheNextFollowsWhenItResigns() throws Exception {
    Master first = new Master(1);
    Registry registry = first.awaitElected();
    Master second = new Master(2);
    Await.until(() -> candidates().size() == 2);

    LinkedBlockingQueue<Optional<MasterInfo>> leaders = new LinkedBlockingQueue<>();
    session().detect(leaders::add);
    awaitLeader(leaders, first.info);
    assertThat(second.changes).isEmpty();

    first.candidacy.close();

    assertThat(candidates()).hasSize(1);
    assertThat(first.next()).isEqualTo("lost: resigned");
    second.awaitElected();
    awaitLeader(leaders, second.info);
    assertThatThrownBy(() -> get(registry.apply(List.of(change("agents/a", "1")))))
        .hasMessageContaining("another master has been elected");
  }

  @Test
  void nodeIsWhatDetectorsRead() throws Exception {
    new Master(1).awaitElected();

    String name = candidates().get(0);
    String json = new String(observer.getData().forPath("/mezzo/" + name), StandardCharsets.UTF_8);

    assertThat(name).matches("json\\.info_\\d{10}");
    assertThat(json)
        .contains("\"id\":\"master-1\"")
        .contains("\"ip\":16777343")
        .contains("\"port\":5051")
        .contains("\"pid\":\"master@127.0.0.1:5051\"")
        .contains("\"hostname\":\"localhost\"")
        .contains("\"version\":\"1.12.0\"")
        .contains("\"type\":\"AGENT_UPDATE\"")
        .contains("\"address\":{");
  }

  @Test
  void legacyAndForeignChildrenDoNotCount() throws Exception {
    observer.create().creatingParentsIfNeeded().forPath("/mezzo/info_0000000000", new byte[] {1});
    observer.create().creatingParentsIfNeeded().forPath("/mezzo/log_replicas", new byte[0]);
    LinkedBlockingQueue<Optional<MasterInfo>> leaders = new LinkedBlockingQueue<>();
    session().detect(leaders::add);
    assertThat(leaders.poll(60, TimeUnit.SECONDS)).isEmpty();

    Master master = new Master(1);

    master.awaitElected();
    awaitLeader(leaders, master.info);
  }

  @Test
  void expiredSessionLosesLeadership(@TempDir Path dir) throws Exception {
    ZooKeeperServer zooKeeper = new ZooKeeperServer(dir.toFile(), dir.toFile(), 500);
    NIOServerCnxnFactory connections = new NIOServerCnxnFactory();
    connections.configure(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    connections.startup(zooKeeper);
    try {
      String address = "127.0.0.1:" + connections.getLocalPort();
      Master first = new Master(session(address), 1);
      Registry registry = first.awaitElected();
      get(registry.apply(List.of(change("agents/a", "1"))));
      Master second = new Master(session(address), 2);
      Await.until(() -> zooKeeper.getZKDatabase().getChildren("/mezzo", null, null).size() == 3);

      zooKeeper.closeSession(
          zooKeeper
              .getZKDatabase()
              .statNode("/mezzo/json.info_0000000000", null)
              .getEphemeralOwner());

      // The end of the session and that of its node are told in either order.
      assertThat(first.next())
          .isIn(
              "lost: the ZooKeeper session expired", "lost: its node json.info_0000000000 is gone");
      second.awaitElected();
      assertThatThrownBy(() -> get(registry.apply(List.of(change("agents/a", "late")))))
          .hasMessageContaining("another master has been elected");
    } finally {
      for (AutoCloseable session : opened) {
        session.close();
      }
      connections.shutdown();
      zooKeeper.shutdown(true);
    }
  }

  @Test
  void removedNodeLosesLeadership() throws Exception {
    Master master = new Master(1);
    master.awaitElected();

    observer.delete().forPath("/mezzo/" + candidates().get(0));

    assertThat(master.next().toString()).startsWith("lost: its node json.info_");
  }

  /** Who has heard late that it was elected, and is not any more, takes nothing from who is. */
  @Test
  void aClaimThatIsOverBeginsNoTerm() throws Exception {
    Coordination.Election late = session();
    Master first = new Master(late, 1);
    String claim = (String) first.next();
    first.candidacy.close();
    Registry now = new Master(2).awaitElected();

    assertThat(get(late.begin(Optional.of(claim)))).isEmpty();
    get(now.apply(List.of(change("agents/a", "1"))));
    // Without a claim nobody is asked, and the term before is over.
    Registry next = get(late.begin(Optional.empty())).orElseThrow();
    get(next.apply(List.of(change("agents/a", "2"))));
    assertThatThrownBy(() -> get(now.apply(List.of(change("agents/a", "3")))))
        .hasMessageContaining("another master has been elected");
    Registry own = get(late.begin(Optional.empty())).orElseThrow();
    assertThatThrownBy(() -> get(next.apply(List.of(change("agents/a", "4")))))
        .hasMessageContaining("the next term has begun");
    assertThat(text(get(own.load()))).isEqualTo(Map.of("agents/a", "2"));
  }

  @Test
  void deposedLeaderWritesNothing() throws Exception {
    Registry old = new Master(1).awaitElected();
    get(old.apply(List.of(change("agents/a", "old"))));

    // Somebody else has been elected and the deposed leader has not heard of it.
    observer.setData().forPath("/mezzo/mezzo/registry/epoch", new byte[] {1});

    assertThatThrownBy(() -> get(old.apply(List.of(change("agents/a", "late")))))
        .hasMessageContaining("another master has been elected");
    assertThatThrownBy(() -> get(old.apply(List.of(change("agents/b", "late")))))
        .hasMessageContaining("another master has been elected");
    Master next = new Master(2);
    observer.delete().forPath("/mezzo/" + candidates().get(0));
    assertThat(text(get(next.awaitElected().load()))).isEqualTo(Map.of("agents/a", "old"));
  }

  @Test
  void whoDoesNotLeadReadsTheRegistryAndLeavesANotice() throws Exception {
    Registry registry = new Master(1).awaitElected();
    Coordination.Election standby = session();
    Coordination.Board board = standby.board().orElseThrow();
    Coordination.Board other = session().board().orElseThrow();
    assertThat(get(board.read("modules/wanted"))).isEmpty();
    assertThat(get(other.notices())).isEmpty();
    get(registry.apply(List.of(change("modules/wanted", "this"))));
    assertThat(get(board.read("modules/wanted")).map(it -> new String(it, StandardCharsets.UTF_8)))
        .contains("this");

    get(board.post("master@127.0.0.1:5052", "one".getBytes(StandardCharsets.UTF_8)));
    get(board.post("master@127.0.0.1:5052", "two".getBytes(StandardCharsets.UTF_8)));
    assertThat(text(get(other.notices()))).isEqualTo(Map.of("master@127.0.0.1:5052", "two"));

    // The next process at the address leaves it anew, so that it does not go with the former one.
    get(other.post("master@127.0.0.1:5052", "two".getBytes(StandardCharsets.UTF_8)));
    standby.close();
    assertThat(text(get(other.notices()))).isEqualTo(Map.of("master@127.0.0.1:5052", "two"));
    assertThatThrownBy(
            () -> get(other.post("x", new byte[Coordination.Board.MAX_NOTICE_BYTES + 1])))
        .hasMessageContaining("more than");
  }

  /** Those who come from Mesos have it, and it knows fewer ways to be asked than later ones. */
  @Test
  void aServerOfVersion34WillDo(@TempDir Path dir) throws Exception {
    int port = InstanceSpec.getRandomPort();
    Process zooKeeper =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dzookeeper.jmx.log4j.disable=true",
                "-cp",
                "target/zookeeper-3.4/*",
                "org.apache.zookeeper.server.ZooKeeperServerMain",
                Integer.toString(port),
                dir.resolve("data").toString())
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("log").toFile())
            .start();
    try {
      String address = "127.0.0.1:" + port;
      Master first = new Master(session(address), 1);
      Registry registry = first.awaitElected();
      get(registry.apply(List.of(change("agents/a", "1"))));
      Coordination.Election standby = session(address);
      Coordination.Board board = standby.board().orElseThrow();
      get(board.post("master@127.0.0.1:5052", "notice".getBytes(StandardCharsets.UTF_8)));
      assertThat(text(get(board.notices()))).isEqualTo(Map.of("master@127.0.0.1:5052", "notice"));
      Master second = new Master(standby, 2);
      LinkedBlockingQueue<Optional<MasterInfo>> leaders = new LinkedBlockingQueue<>();
      standby.detect(leaders::add);
      awaitLeader(leaders, first.info);
      first.candidacy.close();
      assertThat(text(get(second.awaitElected().load()))).isEqualTo(Map.of("agents/a", "1"));
      awaitLeader(leaders, second.info);
    } finally {
      for (AutoCloseable session : opened) {
        session.close();
      }
      opened.clear();
      zooKeeper.destroyForcibly().waitFor();
    }
  }

  @Test
  void nextTermReadsWhatThePreviousStored() throws Exception {
    Master first = new Master(1);
    Registry registry = first.awaitElected();
    assertThat(get(registry.load())).isEmpty();
    List<CompletionStage<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      writes.add(registry.apply(List.of(change("agents/S" + i, "agent " + i))));
    }
    writes.add(registry.apply(List.of(change("quotas/a/b", "q"), change("agents/../x", "odd"))));
    writes.add(
        registry.apply(List.of(new Registry.Change("agents/S7", null), change("agents/S8", "8"))));
    for (CompletionStage<Void> write : writes) {
      get(write);
    }
    first.candidacy.close();

    Map<String, String> loaded = text(get(new Master(2).awaitElected().load()));

    assertThat(loaded)
        .hasSize(1001)
        .containsEntry("agents/S8", "8")
        .containsEntry("agents/S999", "agent 999")
        .containsEntry("quotas/a/b", "q")
        .containsEntry("agents/../x", "odd")
        .doesNotContainKey("agents/S7");
  }

  @Test
  void valueBeyondTheLimitIsRefusedAndOthersGoOn() throws Exception {
    Registry registry = new Master(1).awaitElected();
    Registry.Change big = new Registry.Change("agents/big", new byte[1_000_001]);

    assertThatThrownBy(() -> get(registry.apply(List.of(big))))
        .isInstanceOf(Registry.RefusedException.class)
        .hasMessageContaining("agents/big has 1000001 bytes; at most 1000000");
    get(registry.apply(List.of(new Registry.Change("agents/large", new byte[1_000_000]))));
    assertThat(get(registry.load())).containsOnlyKeys("agents/large");
  }

  /** A server closes the connection on which a packet of more than 1 MB comes. */
  @Test
  void thousandsOfChangesAtOncePassInWritesThatTheServerTakes() throws Exception {
    Registry registry = new Master(1).awaitElected();
    List<CompletionStage<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      writes.add(
          registry.apply(
              List.of(
                  new Registry.Change("agents/master-S" + i, null),
                  new Registry.Change("unreachable/master-S" + i, new byte[3_000]))));
    }
    for (int i = 0; i < 3; i++) {
      writes.add(registry.apply(List.of(new Registry.Change("agents/big" + i, new byte[999_000]))));
    }
    for (CompletionStage<Void> write : writes) {
      get(write);
    }
    assertThat(get(registry.load())).hasSize(5_003);

    List<Registry.Change> all = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      all.add(new Registry.Change("unreachable/master-S" + i, null));
    }
    assertThatThrownBy(() -> get(registry.apply(all)))
        .isInstanceOf(Registry.RefusedException.class)
        .hasMessageContaining("5000 registry changes need ");
    writes.clear();
    for (int i = 0; i < all.size(); i += 256) {
      writes.add(registry.apply(all.subList(i, Math.min(all.size(), i + 256))));
    }
    for (CompletionStage<Void> write : writes) {
      get(write);
    }
    assertThat(get(registry.load())).hasSize(3);
  }

  @Test
  void whatIsNotValidIsRefusedWithoutTheOthers() throws Exception {
    Registry registry = new Master(1).awaitElected();
    List<CompletionStage<Void>> good = new ArrayList<>();
    good.add(registry.apply(List.of(change("agents/first", "1"))));
    CompletionStage<Void> bad = registry.apply(List.of(change("agents/x", "1"), change("y", "1")));
    good.add(registry.apply(List.of(change("agents/last", "1"))));

    assertThatThrownBy(() -> get(bad))
        .isInstanceOf(Registry.RefusedException.class)
        .hasMessageContaining("section/name, but is y");
    for (CompletionStage<Void> write : good) {
      get(write);
    }
    assertThat(get(registry.load())).containsOnlyKeys("agents/first", "agents/last");
  }

  @Test
  void nodesThatWereChangedByHandDoNotEndTheTerm() throws Exception {
    Registry registry = new Master(1).awaitElected();
    get(registry.apply(List.of(change("agents/a", "1"), change("agents/b", "1"))));
    for (String bucket : observer.getChildren().forPath("/mezzo/mezzo/registry/data/agents")) {
      observer
          .delete()
          .deletingChildrenIfNeeded()
          .forPath("/mezzo/mezzo/registry/data/agents/" + bucket);
    }

    get(registry.apply(List.of(change("agents/a", "2"), new Registry.Change("agents/b", null))));

    assertThat(text(get(registry.load()))).isEqualTo(Map.of("agents/a", "2"));
  }

  @Test
  void writeSurvivesARestartOfZooKeeper() throws Exception {
    Registry registry = new Master(1).awaitElected();
    get(registry.apply(List.of(change("agents/a", "1"))));

    server.stop();
    CompletionStage<Void> write = registry.apply(List.of(change("agents/b", "2")));
    server.restart();

    get(write);
    assertThat(text(get(registry.load()))).isEqualTo(Map.of("agents/a", "1", "agents/b", "2"));
  }

  @Test
  void embeddedServerKeepsItsData(@TempDir Path dir) throws Exception {
    Coordination coordination = Coordinations.create();
    Coordination.EmbeddedZooKeeper zooKeeper = coordination.embedded(dir, 0);
    int port = Integer.parseInt(zooKeeper.connectString().split(":")[1]);
    Coordination.Election session =
        coordination.zooKeeper("zk://" + zooKeeper.connectString() + "/mezzo", TIMEOUT, events);
    opened.add(session);
    Master master = new Master(session, 1);
    get(master.awaitElected().apply(List.of(change("agents/a", "1"))));
    master.candidacy.close();
    session.close();
    zooKeeper.close();

    try (Coordination.EmbeddedZooKeeper again = coordination.embedded(dir, port);
        Coordination.Election next =
            coordination.zooKeeper("zk://" + again.connectString() + "/mezzo", TIMEOUT, events)) {
      Registry registry = new Master(next, 2).awaitElected();
      assertThat(text(get(registry.load()))).isEqualTo(Map.of("agents/a", "1"));
    }
  }

  @Test
  void credentialsProtectWhatIsWritten() throws Exception {
    Master master = new Master(session("master:secret@" + server.getConnectString()), 1);
    Registry registry = master.awaitElected();
    get(registry.apply(List.of(change("agents/a", "1"))));
    String epoch = "/mezzo/mezzo/registry/epoch";

    assertThat(observer.getData().forPath("/mezzo/" + candidates().get(0))).isNotEmpty();
    assertThatThrownBy(() -> observer.setData().forPath(epoch, new byte[0]))
        .isInstanceOf(KeeperException.NoAuthException.class);
    assertThatThrownBy(() -> observer.delete().forPath("/mezzo/mezzo/registry/data/agents"))
        .isInstanceOf(KeeperException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "zk://h:2181//x",
        "zk://h:2181/x//y",
        "zk://h:2181/x//",
        "zk://h:2181//",
        "zk://h:2181/x/../y",
        "zk://h:2181/./x",
        "zk://h:2181/..",
        "zk://h:2181/x\u0000y",
        "zk://h:2181/x\ty",
        "zk://h:2181/zookeeper",
        "zk://h:2181/zookeeper/quota",
        "zk://h:2181/zookeeper/",
        "zk://h:2181,,g:2181/x",
        "zk://h:2181,/x",
        "zk://h:port/x",
        "zk://h:0/x",
        "zk://h:70000/x",
        "zk://h:1:2/x",
        "zk://:2181/x",
        "zk://a host:2181/x",
      })
  void refusesWhatCanNeverBeAPlace(String url) {
    assertThatThrownBy(() -> Coordinations.create().zooKeeper(url, TIMEOUT, events))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("ZooKeeper URL must be zk://")
        .hasMessageContaining("give ");
  }

  @Test
  void quotesNothingOfAPasswordWithASlash() {
    for (String url : List.of("zk://u:sec/ret@h:1/x", "zk://u:1/sec//ret@h:1/x")) {
      assertThatThrownBy(() -> Coordinations.create().zooKeeper(url, TIMEOUT, events))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageNotContainingAny("sec", "ret");
    }
  }

  @Test
  void malformedUrlNamesWhatIsWrongWithoutThePassword() {
    Coordination coordination = Coordinations.create();
    assertThatThrownBy(() -> coordination.zooKeeper("zk://u:secret@h:1", TIMEOUT, events))
        .hasMessageContaining("path is missing")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> coordination.zooKeeper("localhost:1/x", TIMEOUT, events))
        .hasMessageContaining("zk://");
  }

  private Coordination.Election session() {
    return session(server.getConnectString());
  }

  private Coordination.Election session(String servers) {
    Coordination.Election session =
        Coordinations.create().zooKeeper("zk://" + servers + "/mezzo", TIMEOUT, events);
    opened.add(0, session);
    return session;
  }

  private List<String> candidates() throws Exception {
    return observer.getChildren().forPath("/mezzo").stream()
        .filter(child -> child.startsWith("json.info_"))
        .sorted()
        .toList();
  }

  private static void awaitLeader(BlockingQueue<Optional<MasterInfo>> leaders, MasterInfo wanted)
      throws Exception {
    while (true) {
      Optional<MasterInfo> leader = leaders.poll(60, TimeUnit.SECONDS);
      assertThat(leader).as("a leader").isNotNull();
      if (leader.equals(Optional.of(wanted))) {
        return;
      }
    }
  }

  static Registry.Change change(String key, String value) {
    return new Registry.Change(key, value.getBytes(StandardCharsets.UTF_8));
  }

  static Map<String, String> text(Map<String, byte[]> values) {
    Map<String, String> text = new java.util.TreeMap<>();
    values.forEach((key, value) -> text.put(key, new String(value, StandardCharsets.UTF_8)));
    return text;
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
    } catch (ExecutionException | CompletionException e) {
      throw (Exception) e.getCause();
    }
  }

  /** A contender and what it was told. */
  private final class Master implements Coordination.CandidacyListener {
    final LinkedBlockingQueue<Object> changes = new LinkedBlockingQueue<>();
    final MasterInfo info;
    final Coordination.Election session;
    final Coordination.Candidacy candidacy;

    Master(int number) {
      this(session(), number);
    }

    Master(Coordination.Election session, int number) {
      this.session = session;
      info =
          MasterInfo.newBuilder()
              .setId("master-" + number)
              .setIp(16777343)
              .setPort(5050 + number)
              .setPid("master@127.0.0.1:" + (5050 + number))
              .setHostname("localhost")
              .setVersion("1.12.0")
              .setAddress(
                  Address.newBuilder()
                      .setHostname("localhost")
                      .setIp("127.0.0.1")
                      .setPort(5050 + number))
              .addCapabilities(
                  MasterInfo.Capability.newBuilder()
                      .setType(MasterInfo.Capability.Type.AGENT_UPDATE))
              .build();
      candidacy = session.contend(info, this);
    }

    Registry awaitElected() throws Exception {
      return get(session.begin(Optional.of((String) next()))).orElseThrow();
    }

    Object next() throws Exception {
      Object change = changes.poll(60, TimeUnit.SECONDS);
      assertThat(change).as("a change").isNotNull();
      return change;
    }

    @Override
    public void elected(String claim) {
      changes.add(claim);
    }

    @Override
    public void lost(String reason) {
      changes.add("lost: " + reason);
    }
  }
}
