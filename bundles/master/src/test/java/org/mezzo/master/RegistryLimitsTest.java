package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Coordinations;
import org.mezzo.coordination.Registry;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestLinks;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;

/** What is too much for one write of the registry, on a real ZooKeeper and on a file. */
class RegistryLimitsTest {
  private static final int AGENTS = 3_000;

  private final ExecutorService events = Executors.newSingleThreadExecutor();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Coordination coordination = Coordinations.create();
  @TempDir Path dir;

  @AfterEach
  void close() throws Exception {
    for (int i = opened.size() - 1; i >= 0; i--) {
      opened.get(i).close();
    }
    events.shutdownNow();
  }

  @Test
  void thousandsOfAgentsThatAreLostAtOnceAreMarkedAndForgottenInOneTerm() throws Exception {
    Coordination.EmbeddedZooKeeper zooKeeper = coordination.embedded(dir.resolve("zk"), 0);
    opened.add(zooKeeper);
    String url = "zk://" + zooKeeper.connectString() + "/mezzo";
    fill(coordination.zooKeeper(url, Duration.ofSeconds(10), events));

    TestCluster cluster =
        cluster(
            new TestLinks(),
            "zk=" + url,
            "agent_reregister_timeout=1secs",
            "registry_gc_interval=1secs",
            "registry_max_agent_count=7");
    markedAndForgotten(cluster);
    cluster.close();

    assertThat(sections(coordination.zooKeeper(url, Duration.ofSeconds(10), events)))
        .isEqualTo(Map.of("unreachable", 7, "master", 1));
  }

  @Test
  void aMasterThatStandsAloneDoesTheSame() throws Exception {
    Path workDir = dir.resolve("master");
    fill(coordination.standalone(workDir, events));

    TestCluster cluster =
        cluster(
            new TestLinks(),
            "agent_reregister_timeout=1secs",
            "registry_gc_interval=1secs",
            "registry_max_agent_count=7");
    markedAndForgotten(cluster);
    cluster.close();

    assertThat(sections(coordination.standalone(workDir, events)))
        .isEqualTo(Map.of("unreachable", 7, "master", 1));
  }

  @Test
  void anAgentWhoseDescriptionIsTooLargeIsToldAndTheTermGoesOn() throws Exception {
    TestLinks links = new TestLinks();
    TestCluster cluster = cluster(links);
    Instant elected = cluster.state().elected();
    TestAgent small = new TestAgent(25171, "cpus:1").connect(links).register();
    TestAgent large = new TestAgent(25172, "cpus:1").described(RegistryLimitsTest::large);

    large.connect(links).requestRegistration();
    Await.until(() -> large.refusal != null);
    assertThat(large.refusal.getReason())
        .contains("bytes and the registry keeps at most 999000")
        .contains("--attributes");
    assertThat(cluster.state().agents()).containsOnlyKeys(small.id);

    // Nor does an agent lose its tasks or its place by growing.
    small.disconnect();
    small.described(RegistryLimitsTest::large).connect(links, hello(2)).requestReregistration();
    Await.until(() -> small.refusal != null);
    assertThat(small.received).noneMatch(MasterEvent::hasShutdown);
    assertThat(cluster.state().agents()).containsOnlyKeys(small.id);
    assertThat(cluster.state().undecided()).isEmpty();
    assertThat(cluster.state().elected()).isEqualTo(elected);
    small.described(info -> info.clearAttributes()).connect(links, hello(3)).reregister();
  }

  private static Hello hello(int epoch) {
    return Hello.newBuilder().setMajor(1).setMinor(0).setConnectionEpoch(epoch).build();
  }

  private static AgentInfo.Builder large(AgentInfo.Builder info) {
    return info.addAttributes(
        Attribute.newBuilder()
            .setName("note")
            .setType(Value.Type.TEXT)
            .setText(Value.Text.newBuilder().setValue("x".repeat(999_500))));
  }

  private TestCluster cluster(TestLinks links, String... flags) throws Exception {
    TestCluster cluster = new TestCluster(dir.resolve("master"), coordination, links, flags);
    opened.add(cluster);
    return cluster;
  }

  private static void markedAndForgotten(TestCluster cluster) throws Exception {
    Instant elected = cluster.state().elected();
    Set<Instant> terms = new HashSet<>();
    Await.until(
        () -> {
          var state = cluster.state();
          terms.add(state.elected());
          return state.recoveredAgents().isEmpty() && state.unreachableAgents().size() == 7;
        });
    assertThat(terms).containsExactly(elected);
    assertThat(cluster.master.metrics().snapshot())
        .containsEntry("master/slave_unreachable_scheduled", (double) AGENTS)
        .containsEntry("registrar/mezzo/refused", 0.0);
  }

  /** Writes many agents as a master has admitted them, and resigns. */
  private void fill(Coordination.Session session) throws Exception {
    Registry registry = lead(session);
    List<CompletionStage<Void>> writes = new ArrayList<>();
    for (int i = 0; i < AGENTS; i++) {
      String id = "old-S" + i;
      AgentInfo info =
          AgentInfo.newBuilder()
              .setId(AgentID.newBuilder().setValue(id))
              .setHostname("host-" + "x".repeat(1_000))
              .build();
      writes.add(registry.apply(List.of(new Registry.Change("agents/" + id, info.toByteArray()))));
    }
    for (CompletionStage<Void> write : writes) {
      write.toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
    session.close();
  }

  /** How many entries each section of the registry has. */
  private Map<String, Integer> sections(Coordination.Session session) throws Exception {
    Map<String, Integer> counts = new java.util.TreeMap<>();
    lead(session)
        .load()
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS)
        .keySet()
        .forEach(key -> counts.merge(key.substring(0, key.indexOf('/')), 1, Integer::sum));
    session.close();
    return counts;
  }

  private static Registry lead(Coordination.Session session) throws Exception {
    return session
        .begin(Optional.empty())
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS)
        .orElseThrow();
  }
}
