package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Operators take an agent out of offers and back, plan maintenance, and take its machine down. */
class MaintenanceIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private static final String INFO =
      """
      {"user":"%s","name":"maintenance","roles":["eng"],"failover_timeout":600.0,
       "checkpoint":true,"capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
      """
          .formatted(System.getProperty("user.name"));

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final int port;
  private final URI master;

  MaintenanceIT() throws Exception {
    port = Distribution.freePort();
    master = URI.create("http://127.0.0.1:" + port);
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private MezzoProcess start(String... arguments) throws Exception {
    MezzoProcess process =
        MezzoProcess.start(Distribution.built(), folder.resolve("logs"), arguments);
    open.add(process);
    return process;
  }

  private MezzoProcess startAgent() throws Exception {
    MezzoProcess agent =
        start(
            "agent",
            "--master=127.0.0.1:" + port,
            "--port=" + Distribution.freePort(),
            "--resources=cpus:4;mem:1024;disk:1024",
            "--runtime_dir=" + folder.resolve("run"),
            "--work_dir=" + folder.resolve("agent"));
    Await.until(
        "the agent is registered",
        LIMIT,
        () -> Http.get(master.resolve("/state")).json().path("activated_slaves").asInt() == 1);
    return agent;
  }

  private void post(String path, String body) throws Exception {
    HttpResponse<String> answer =
        Http.CLIENT.send(
            HttpRequest.newBuilder(master.resolve(path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  private void order(String type, String agentId) throws Exception {
    post(
        "/api/v1",
        "{\"type\":\"%s_AGENT\",\"%s_agent\":{\"agent_id\":{\"value\":\"%s\"}}}"
            .formatted(type.toUpperCase(Locale.ROOT), type, agentId));
  }

  private JsonNode slave() throws Exception {
    return Http.get(master.resolve("/slaves")).json().at("/slaves/0");
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  @Test
  void anAgentIsKeptFromOffersThenPlannedForThenTakenDown() throws Exception {
    start("master", "--port=" + port, "--work_dir=" + folder.resolve("master"));
    Await.until(
        "the master answers", LIMIT, () -> Http.get(master.resolve("/state")).status() == 200);
    MezzoProcess agent = startAgent();
    TestFramework framework = TestFramework.subscribe(master, INFO);
    open.add(framework);
    JsonNode first = offer(framework);
    String id = slave().path("id").asText();

    order("deactivate", id);
    JsonNode rescinded = framework.await("RESCIND", event -> true);
    assertThat(rescinded.at("/rescind/offer_id")).isEqualTo(first.path("id"));
    assertThat(slave().path("deactivated").asBoolean()).isTrue();
    order("reactivate", id);
    JsonNode second = offer(framework);
    assertThat(slave().path("active").asBoolean()).isTrue();

    String hostname = slave().path("hostname").asText();
    String pid = slave().path("pid").asText();
    String machine =
        "{\"hostname\":\"%s\",\"ip\":\"%s\"}"
            .formatted(hostname, pid.substring(pid.indexOf('@') + 1, pid.lastIndexOf(':')));
    post(
        "/maintenance/schedule",
        "{\"windows\":[{\"machine_ids\":["
            + machine
            + "],\"unavailability\":{\"start\":{\"nanoseconds\":1795317184000000000}}}]}");
    framework.await("RESCIND", event -> event.at("/rescind/offer_id").equals(second.path("id")));
    JsonNode third = offer(framework);
    assertThat(third.at("/unavailability/start/nanoseconds").asLong())
        .isEqualTo(1795317184000000000L);
    assertThat(Http.get(master.resolve("/maintenance/status")).text())
        .isEqualTo("{\"draining_machines\":[{\"id\":" + machine + "}]}");

    post("/machine/down", "[" + machine + "]");
    Await.until("the agent ends", LIMIT, () -> !agent.isAlive());
    assertThat(Http.get(master.resolve("/slaves")).text())
        .isEqualTo("{\"slaves\":[],\"recovered_slaves\":[]}");
    post("/machine/up", "[" + machine + "]");
    assertThat(Http.get(master.resolve("/maintenance/status")).text()).isEqualTo("{}");
    startAgent();
    assertThat(offer(framework).has("unavailability")).isFalse();
    framework.teardown();
  }

  /** Rules 247 to 256, with a real agent; its files can be read by way of the master meanwhile. */
  @Test
  void anAgentIsDrainedAndComesBack() throws Exception {
    start("master", "--port=" + port, "--work_dir=" + folder.resolve("master"));
    Await.until(
        "the master answers", LIMIT, () -> Http.get(master.resolve("/state")).status() == 200);
    startAgent();
    TestFramework framework = TestFramework.subscribe(master, INFO);
    open.add(framework);
    framework.launch(offer(framework), "task", "echo here; sleep 1000");
    String container =
        framework
            .awaitState("task", "TASK_RUNNING")
            .at("/container_status/container_id/value")
            .asText();
    String id = slave().path("id").asText();
    String sandbox =
        folder.resolve("agent")
            + "/slaves/"
            + id
            + "/frameworks/"
            + framework.frameworkId()
            + "/executors/task/runs/"
            + container
            + "/stdout";
    Await.until(
        "the master passes the task's output on",
        LIMIT,
        () ->
            Http.get(master.resolve("/mezzo/agents/" + id + "/files/download?path=" + sandbox))
                .text()
                .contains("here"));

    post(
        "/api/v1",
        "{\"type\":\"DRAIN_AGENT\",\"drain_agent\":{\"agent_id\":{\"value\":\"%s\"},".formatted(id)
            + "\"max_grace_period\":{\"nanoseconds\":1000000000}}}");
    JsonNode killed = framework.awaitState("task", "TASK_KILLED");
    assertThat(killed.path("reason").asText()).isEqualTo("REASON_AGENT_DRAINING");
    Await.until(
        "the agent is drained",
        LIMIT,
        () -> slave().at("/drain_info/state").asText().equals("DRAINED"));
    assertThat(slave().path("active").asBoolean()).isFalse();
    int before = offers(framework);

    order("reactivate", id);
    Await.until("the agent is offered again", LIMIT, () -> offers(framework) > before);
    assertThat(slave().has("drain_info")).isFalse();
    framework.teardown();
  }

  private static int offers(TestFramework framework) {
    int count = 0;
    for (JsonNode event : framework.events()) {
      count += event.path("type").asText().equals("OFFERS") ? 1 : 0;
    }
    return count;
  }
}
