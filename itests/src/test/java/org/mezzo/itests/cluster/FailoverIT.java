package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.ZooKeeperCluster.Master;

/** Masters of one cluster, found through ZooKeeper, one of which is killed or stopped. */
class FailoverIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  /** As long as ZooKeeper allows: nobody waits for its end. */
  private static final Duration LONG_SESSION = Duration.ofSeconds(60);

  private static final String INFO =
      """
      {"user":"%s","name":"failover","roles":["test"],"failover_timeout":600.0,"checkpoint":true,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
      """
          .formatted(System.getProperty("user.name"));

  @TempDir Path folder;
  private ZooKeeperCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new ZooKeeperCluster(folder);
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  @Test
  void tasksAndFrameworksSurviveTheDeathOfTheLeader() throws Exception {
    Master first = cluster.master("first");
    Await.until("the first leads", LIMIT, first::leads);
    Master second = cluster.master("second");
    cluster.agent("agent");
    first.awaitAgents(1);

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
    second.awaitAgents(1);
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
    Master first = cluster.master("first", LONG_SESSION);
    Await.until("the first leads", LIMIT, first::leads);
    Master second = cluster.master("second", LONG_SESSION);
    cluster.agent("agent");
    first.awaitAgents(1);

    first.process().terminate();
    // Well before the session would have expired.
    Await.until("the second leads", Duration.ofSeconds(40), second::leads);
    assertThat(first.process().await(LIMIT)).isIn(0, 143);
    second.awaitAgents(1);
  }
}
