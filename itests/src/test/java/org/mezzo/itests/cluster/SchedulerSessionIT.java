package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** What a framework author does with the v1 scheduler API, against a running cluster. */
class SchedulerSessionIT {
  private static final String INFO =
      """
      {"user":"%s","name":"session","roles":["test"],"failover_timeout":60.0,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"},
                       {"type":"TASK_KILLING_STATE"}]}\
      """
          .formatted(System.getProperty("user.name"));

  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = LocalCluster.start(Distribution.built(), 1);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  @Test
  void aTaskRunsToItsEndAndItsOutputCanBeRead() throws Exception {
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      JsonNode offer = offer(framework);
      assertThat(offer.at("/allocation_info/role").asText()).isEqualTo("test");
      framework.launch(offer, "finishes", "echo out; echo err >&2");
      JsonNode starting = framework.awaitState("finishes", "TASK_STARTING");
      assertThat(starting.path("source").asText()).isEqualTo("SOURCE_EXECUTOR");
      assertThat(starting.at("/executor_id/value").asText()).isEqualTo("finishes");
      framework.awaitState("finishes", "TASK_RUNNING");
      JsonNode finished = framework.awaitState("finishes", "TASK_FINISHED");
      assertThat(finished.path("message").asText()).isEqualTo("Command exited with status 0");

      JsonNode url = offer.path("url");
      URI agent =
          URI.create(
              "http://" + url.at("/address/ip").asText() + ":" + url.at("/address/port").asInt());
      String sandbox =
          "/frameworks/" + framework.frameworkId() + "/executors/finishes/runs/latest/stdout";
      JsonNode read = Http.get(agent.resolve("/files/read?offset=0&path=" + sandbox)).json();
      assertThat(read.path("data").asText()).isEqualTo("out\n");
      framework.teardown();
    }
  }

  @Test
  void aTaskThatFailsSaysHow() throws Exception {
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      framework.launch(offer(framework), "fails", "exit 137");
      JsonNode failed = framework.awaitState("fails", "TASK_FAILED");
      assertThat(failed.path("message").asText()).isEqualTo("Command exited with status 137");
      framework.launch(offer(framework), "dies", "kill -9 $$");
      JsonNode died = framework.awaitState("dies", "TASK_FAILED");
      assertThat(died.path("message").asText()).startsWith("Command terminated with signal");
      framework.teardown();
    }
  }

  @Test
  void aTaskCanBeKilled() throws Exception {
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      framework.launch(offer(framework), "long", "sleep 1000 & sleep 1000");
      framework.awaitState("long", "TASK_RUNNING");
      ObjectNode kill = framework.call("KILL");
      kill.putObject("kill").putObject("task_id").put("value", "long");
      framework.send(kill);
      framework.awaitState("long", "TASK_KILLING");
      framework.awaitState("long", "TASK_KILLED");
      framework.teardown();
    }
  }

  @Test
  void aFrameworkThatComesBackFindsItsTask() throws Exception {
    TestFramework first = TestFramework.subscribe(cluster.master(), INFO);
    first.launch(offer(first), "survives", "sleep 1000");
    first.awaitState("survives", "TASK_RUNNING");
    String id = first.frameworkId();
    first.close();

    ObjectNode info = (ObjectNode) Http.JSON.readTree(INFO);
    info.putObject("id").put("value", id);
    try (TestFramework second = TestFramework.subscribe(cluster.master(), info.toString())) {
      assertThat(second.frameworkId()).isEqualTo(id);
      ObjectNode reconcile = second.call("RECONCILE");
      reconcile.putObject("reconcile").putArray("tasks");
      second.send(reconcile);
      JsonNode update =
          second.await(
              "UPDATE",
              event -> event.at("/update/status/reason").asText().equals("REASON_RECONCILIATION"));
      assertThat(update.at("/update/status/state").asText()).isEqualTo("TASK_RUNNING");
      assertThat(update.at("/update/status").has("uuid")).isFalse();
      second.teardown();
    }
  }

  @Test
  void suppressedFrameworksGetNothingUntilTheyRevive() throws Exception {
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      JsonNode offer = offer(framework);
      framework.send(framework.call("SUPPRESS"));
      ObjectNode decline = framework.call("DECLINE");
      ObjectNode body = decline.putObject("decline");
      body.putArray("offer_ids").add(offer.get("id"));
      body.putObject("filters").put("refuse_seconds", 0.0);
      framework.send(decline);
      // A second framework is offered what the first does not want: allocation has gone on.
      try (TestFramework other = TestFramework.subscribe(cluster.master(), INFO)) {
        offer(other);
        other.teardown();
      }
      assertThat(
              framework.events().stream()
                  .filter(event -> event.path("type").asText().equals("OFFERS"))
                  .count())
          .isEqualTo(1);
      framework.send(framework.call("REVIVE"));
      offer(framework);
      framework.teardown();
    }
  }

  @Test
  void readersSeeTheTask() throws Exception {
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      framework.launch(offer(framework), "seen", "sleep 1000");
      framework.awaitState("seen", "TASK_RUNNING");
      JsonNode tasks =
          Http.postJson(cluster.master().resolve("/api/v1"), "{\"type\":\"GET_TASKS\"}")
              .json()
              .at("/get_tasks/tasks");
      assertThat(tasks.findValuesAsText("state")).contains("TASK_RUNNING");
      for (String path : new String[] {"/state", "/master/state", "/state/"}) {
        JsonNode state = Http.get(cluster.master().resolve(path)).json();
        assertThat(state.path("activated_slaves").asInt()).isEqualTo(1);
        JsonNode frameworks = state.path("frameworks");
        assertThat(frameworks.findValuesAsText("id")).contains("seen");
      }
      framework.teardown();
      Await.until(
          "the framework is among the completed ones",
          Duration.ofSeconds(60),
          () ->
              Http.get(cluster.master().resolve("/frameworks"))
                  .json()
                  .path("completed_frameworks")
                  .findValuesAsText("id")
                  .contains(framework.frameworkId()));
    }
  }
}
