package org.apache.mesos.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.driver.leaders.TestZooKeeper;

@Timeout(60)
class ZooKeeperStateTest {
  /** An entry "a" of "hello" with the mark 00 to 0f, as protocol buffers write it. */
  private static final String NODE =
      "0a0161" + "1210000102030405060708090a0b0c0d0e0f" + "1a0568656c6c6f";

  @TempDir Path folder;
  private final List<ZooKeeperState> states = new ArrayList<>();
  private TestZooKeeper server;
  private ZooKeeper client;

  @BeforeEach
  void open() throws Exception {
    server = new TestZooKeeper(folder);
    client = server.client();
  }

  @AfterEach
  void close() throws Exception {
    states.forEach(AbstractState::close);
    client.close();
    server.close();
  }

  private ZooKeeperState state() {
    return kept(new ZooKeeperState(server.servers(), 10, TimeUnit.SECONDS, "/some/state/"));
  }

  private ZooKeeperState stateOf(String user) {
    return kept(
        new ZooKeeperState(
            server.servers(),
            10,
            TimeUnit.SECONDS,
            "/some/state",
            "digest",
            user.getBytes(StandardCharsets.UTF_8)));
  }

  private ZooKeeperState kept(ZooKeeperState state) {
    states.add(state);
    return state;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(Variable variable) {
    return new String(variable.value(), StandardCharsets.UTF_8);
  }

  @Test
  void whatIsStoredIsFetchedNamedAndExpunged() throws Exception {
    State state = state();
    Variable none = state.fetch("a").get();
    assertThat(none.value()).isEmpty();

    Variable stored = state.store(none.mutate(bytes("one"))).get();
    assertThat(text(stored)).isEqualTo("one");
    assertThat(text(state.fetch("a").get())).isEqualTo("one");
    state.store(state.fetch("b").get().mutate(bytes("two"))).get();
    assertThat(state.names().get()).toIterable().containsExactlyInAnyOrder("a", "b");

    Variable changed = state.store(stored.mutate(bytes("three"))).get();
    assertThat(state.expunge(stored).get()).isFalse();
    assertThat(state.expunge(changed).get()).isTrue();
    assertThat(state.expunge(changed).get()).isFalse();
    assertThat(state.names().get()).toIterable().containsExactly("b");
  }

  @Test
  void whatSomebodyElseHasChangedIsNotOverwritten() throws Exception {
    State one = state();
    State other = state();
    Variable seen = one.fetch("a").get();
    Variable seenByOther = other.fetch("a").get();

    assertThat(one.store(seen.mutate(bytes("one"))).get()).isNotNull();
    assertThat(other.store(seenByOther.mutate(bytes("other"))).get()).isNull();
    Variable again = other.fetch("a").get();
    assertThat(other.store(again.mutate(bytes("other"))).get()).isNotNull();
    assertThat(one.store(again.mutate(bytes("late"))).get()).isNull();
    assertThat(text(one.fetch("a").get())).isEqualTo("other");
  }

  @Test
  void entriesOfLibmesosAreTakenOver() throws Exception {
    for (String path : List.of("/some", "/some/state")) {
      client.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }
    client.create(
        "/some/state/a",
        HexFormat.of().parseHex(NODE),
        ZooDefs.Ids.OPEN_ACL_UNSAFE,
        CreateMode.PERSISTENT);
    State state = state();

    Variable found = state.fetch("a").get();
    assertThat(text(found)).isEqualTo("hello");
    assertThat(state.store(found.mutate(bytes("world"))).get()).isNotNull();

    String node = HexFormat.of().formatHex(client.getData("/some/state/a", false, null));
    assertThat(node)
        .matches("0a01611210[0-9a-f]{32}1a05" + HexFormat.of().formatHex(bytes("world")));
    assertThat(node).doesNotContain("000102030405060708090a0b0c0d0e0f");
  }

  @Test
  void whatIsNoEntryIsToldWithItsPlace() throws Exception {
    State state = state();
    state.store(state.fetch("a").get().mutate(bytes("one"))).get();
    client.setData("/some/state/a", bytes("\u0007nonsense"), -1);

    assertThatThrownBy(() -> state.fetch("a").get())
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("/some/state/a in ZooKeeper is no entry");
  }

  @Test
  void moreThanZooKeeperTakesIsRefusedAndTheMostIsTaken() throws Exception {
    State state = state();
    Variable variable = state.fetch("a").get();

    assertThatThrownBy(() -> state.store(variable.mutate(new byte[1 << 20])).get())
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("too big for ZooKeeper");
    assertThat(state.store(variable.mutate(new byte[(1 << 20) - 1200])).get()).isNotNull();
  }

  @Test
  void futuresWaitForTheServerAsLongAsTheirCallerLikes() throws Exception {
    State state = state();
    Variable stored = state.store(state.fetch("a").get().mutate(bytes("one"))).get();
    server.stop();

    Future<Variable> fetched = state.fetch("a");
    Future<Variable> cancelled = state.store(stored.mutate(bytes("cancelled")));
    Future<Variable> changed = state.store(stored.mutate(bytes("two")));
    assertThatThrownBy(() -> fetched.get(500, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    assertThat(cancelled.cancel(true)).isTrue();
    server.start();

    assertThat(text(fetched.get())).isEqualTo("one");
    assertThat(text(changed.get())).isEqualTo("two");
    assertThat(text(state.fetch("a").get())).isEqualTo("two");
  }

  @Test
  void anExpiredSessionIsFollowedByAnotherWithTheSameRights() throws Exception {
    State state = stateOf("framework:secret");
    Variable stored = state.store(state.fetch("a").get().mutate(bytes("one"))).get();

    server.expireSessions(client);

    assertThat(text(state.store(stored.mutate(bytes("two"))).get())).isEqualTo("two");
  }

  @Test
  void withCredentialsEverybodyReadsAndTheirOwnerChanges() throws Exception {
    State owner = stateOf("framework:secret");
    owner.store(owner.fetch("a").get().mutate(bytes("one"))).get();
    State other = stateOf("other:guess");
    Variable read = other.fetch("a").get();

    assertThat(text(read)).isEqualTo("one");
    for (Future<?> each : List.of(other.store(read.mutate(bytes("two"))), other.expunge(read))) {
      assertThatThrownBy(each::get)
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("give the credentials of who made it");
    }
    assertThat(text(stateOf("framework:secret").fetch("a").get())).isEqualTo("one");
  }

  @Test
  void namesOfNothingFailAsThoseOfLibmesos() {
    assertThatThrownBy(() -> state().names().get())
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(KeeperException.NoNodeException.class);
  }

  @Test
  void aPlaceThatCannotBeIsRefusedWithTheRemedy() {
    assertThatThrownBy(() -> new ZooKeeperState("zk://h:1", 1, TimeUnit.SECONDS, "/a"))
        .hasMessageContaining("host:port,host:port alone");
    assertThatThrownBy(() -> new ZooKeeperState("h:1", 1, TimeUnit.SECONDS, "a"))
        .hasMessageContaining("give an absolute one");
    assertThatThrownBy(
            () -> new ZooKeeperState("h:1", 1, TimeUnit.SECONDS, "/a", "sasl", new byte[0]))
        .hasMessageContaining("'sasl' is not supported; give 'digest'");
  }

  @Test
  void statesThatNeedLibmesosSayWhatToUse() {
    assertThatThrownBy(() -> new LevelDBState("/var/db"))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("/var/db")
        .hasMessageContaining("ZooKeeperState");
    assertThatThrownBy(() -> new LogState("h:1", 1, TimeUnit.SECONDS, "/a", 1, "/log"))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("ZooKeeperState");
  }

  @Test
  void memoryKeepsAsZooKeeperDoes() throws Exception {
    State state = new InMemoryState();
    Variable first = state.fetch("a").get();
    Variable stored = state.store(first.mutate(bytes("one"))).get();

    assertThat(state.store(first.mutate(bytes("late"))).get()).isNull();
    assertThat(text(state.fetch("a").get())).isEqualTo("one");
    assertThat(state.names().get()).toIterable().containsExactly("a");
    assertThat(state.expunge(first).get()).isFalse();
    assertThat(state.expunge(stored).get()).isTrue();
    assertThat(state.names().get()).isExhausted();
  }
}
