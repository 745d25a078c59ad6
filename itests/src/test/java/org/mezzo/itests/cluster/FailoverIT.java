package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.curator.test.TestingServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Masters of one cluster, found through ZooKeeper, one of which is killed or stopped. */
class FailoverIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  /** Until a killed leader is missed; a slow machine must not take one for dead that lives. */
  private static final Duration SESSION = Duration.ofSeconds(10);

  /** As long as ZooKeeper allows: nobody waits for its end. */
  private static final Duration LONG_SESSION = Duration.ofSeconds(60);

  private static final String INFO =
      """
      {"user":"%s","name":"failover","roles":["test"],"failover_timeout":600.0,"checkpoint":true,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
      """
          .formatted(System.getProperty("user.name"));

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private TestingServer zooKeeper;

  /** A master process with its port. */
  private record Master(MezzoProcess process, URI uri) {
    boolean leads() throws Exception {
      return Http.get(uri.resolve("/metrics/snapshot")).json().path("master/elected").asInt() == 1;
    }

    boolean answers() throws Exception {
      return Http.get(uri.resolve("/health")).status() == 200;
    }
  }

  @BeforeEach
  void start() throws Exception {
    zooKeeper = new TestingServer(-1, folder.resolve("zookeeper").toFile(), true);
    open.add(zooKeeper);
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private String zk() {
    return "zk://" + zooKeeper.getConnectString() + "/mezzo";
  }

  private Master master(String name, Duration session) throws Exception {
    int port = Distribution.freePort();
    MezzoProcess process =
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "master",
            "--zk=" + zk(),
            "--zk_session_timeout=" + session.toSeconds() + "secs",
            "--quorum=1",
            "--port=" + port,
            "--work_dir=" + folder.resolve(name));
    open.add(process);
    Master master = new Master(process, URI.create("http://127.0.0.1:" + port));
    Await.until(name + " answers", LIMIT, master::answers);
    return master;
  }

  private void agent() throws Exception {
    open.add(
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "agent",
            "--master=" + zk(),
            "--port=" + Distribution.freePort(),
            "--runtime_dir=" + folder.resolve("run"),
            "--work_dir=" + folder.resolve("agent")));
  }

  private static void awaitAgent(Master leader) {
    Await.until(
        "the agent is registered with " + leader.uri(),
        LIMIT,
        () ->
            Http.get(leader.uri().resolve("/state")).json().path("activated_slaves").asInt() == 1);
  }

  @Test
  void tasksAndFrameworksSurviveTheDeathOfTheLeader() throws Exception {
    Master first = master("first", SESSION);
    Await.until("the first leads", LIMIT, first::leads);
    Master second = master("second", SESSION);
    agent();
    awaitAgent(first);

    // A follower sends clients to the leader.
    Http.Answer redirect = Http.get(second.uri().resolve("/master/redirect"));
    assertThat(redirect.status()).isEqualTo(307);
    assertThat(redirect.headers().firstValue("Location").orElseThrow())
        .endsWith(":" + first.uri().getPort());

    TestFramework framework = TestFramework.subscribe(first.uri(), INFO);
    JsonNode offer = framework.await("OFFERS", event -> true).at("/offers/offers/0");
    framework.launch(offer, "survivor", "sleep 1000");
    framework.awaitState("survivor", "TASK_RUNNING");
    String id = framework.frameworkId();
    String agentId = offer.at("/agent_id/value").asText();

    first.process().kill();
    Await.until("the second leads", LIMIT, second::leads);
    awaitAgent(second);
    framework.close();

    ObjectNode info = (ObjectNode) Http.JSON.readTree(INFO);
    info.putObject("id").put("value", id);
    try (TestFramework again = TestFramework.subscribe(second.uri(), info.toString())) {
      assertThat(again.frameworkId()).isEqualTo(id);
      JsonNode next = again.await("OFFERS", event -> true).at("/offers/offers/0");
      ObjectNode reconcile = again.call("RECONCILE");
      ObjectNode task = reconcile.putObject("reconcile").putArray("tasks").addObject();
      task.putObject("task_id").put("value", "survivor");
      task.putObject("agent_id").put("value", agentId);
      again.send(reconcile);
      JsonNode update =
          again.await(
              "UPDATE",
              event -> event.at("/update/status/reason").asText().equals("REASON_RECONCILIATION"));
      assertThat(update.at("/update/status/state").asText()).isEqualTo("TASK_RUNNING");
      assertThat(update.at("/update/status/agent_id/value").asText()).isEqualTo(agentId);

      again.launch(next, "after", "true");
      again.awaitState("after", "TASK_FINISHED");
      again.teardown();
    }
  }

  @Test
  void aLeaderThatIsStoppedResignsFirst() throws Exception {
    Master first = master("first", LONG_SESSION);
    Await.until("the first leads", LIMIT, first::leads);
    Master second = master("second", LONG_SESSION);
    agent();
    awaitAgent(first);

    first.process().terminate();
    // Well before the session would have expired.
    Await.until("the second leads", Duration.ofSeconds(40), second::leads);
    assertThat(first.process().await(LIMIT)).isIn(0, 143);
    awaitAgent(second);
  }
}
