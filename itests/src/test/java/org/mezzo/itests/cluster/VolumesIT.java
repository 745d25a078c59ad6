package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Reservations and volumes, of frameworks and of operators: what is kept there outlives tasks. */
class VolumesIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private static final String INFO =
      """
      {"user":"%s","name":"volumes","roles":["r"],"checkpoint":true,"failover_timeout":600.0,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"RESERVATION_REFINEMENT"},
                       {"type":"PARTITION_AWARE"}]}\
      """
          .formatted(System.getProperty("user.name"));

  private static final String RESERVATION =
      "\"reservations\":[{\"type\":\"DYNAMIC\",\"role\":\"r\"}]";

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private URI master;
  private final Set<JsonNode> used = new HashSet<>();

  @BeforeEach
  void prepare() throws Exception {
    cluster = new MasterAndAgent(folder);
    master = cluster.master();
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private void startMaster() throws Exception {
    cluster.startMaster("--allocation_interval=200ms");
  }

  private MezzoProcess startAgent() throws Exception {
    return cluster.startAgent("--resources=cpus:4;mem:1024;disk:1024");
  }

  private void awaitAgent(Predicate<JsonNode> condition) {
    Await.until("the agent is as wanted", LIMIT, () -> condition.test(cluster.slave()));
  }

  private static String scalar(String name, double value, String more) {
    return "{\"name\":\"%s\",\"type\":\"SCALAR\",\"scalar\":{\"value\":%s}%s}"
        .formatted(name, value, more.isEmpty() ? "" : "," + more);
  }

  private static String volume(double size) {
    return scalar(
        "disk",
        size,
        RESERVATION
            + ",\"disk\":{\"persistence\":{\"id\":\"v\"},\"volume\":{\"container_path\":\"data\","
            + "\"mode\":\"RW\"}}");
  }

  /** The latest offer that is neither rescinded nor used, once it is as wanted. */
  private JsonNode offer(TestFramework framework, Predicate<JsonNode> resources) {
    AtomicReference<JsonNode> found = new AtomicReference<>();
    Await.until(
        "there is an offer as wanted",
        LIMIT,
        () -> {
          JsonNode latest = null;
          for (JsonNode event : framework.events()) {
            if (event.path("type").asText().equals("OFFERS")) {
              latest = event.at("/offers/offers/0");
            } else if (latest != null && event.at("/rescind/offer_id").equals(latest.path("id"))) {
              latest = null;
            }
          }
          if (latest == null
              || used.contains(latest.path("id"))
              || !resources.test(latest.path("resources"))) {
            return false;
          }
          found.set(latest);
          return true;
        });
    return found.get();
  }

  private static boolean hasVolume(JsonNode resources) {
    return StreamSupport.stream(resources.spliterator(), false)
        .anyMatch(resource -> resource.at("/disk/persistence/id").asText().equals("v"));
  }

  private void accept(TestFramework framework, JsonNode offer, String... operations)
      throws Exception {
    ObjectNode call = framework.call("ACCEPT");
    used.add(offer.path("id"));
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.path("id"));
    ArrayNode all = accept.putArray("operations");
    for (String operation : operations) {
      all.add(Http.JSON.readTree(operation));
    }
    accept.putObject("filters").put("refuse_seconds", 0);
    framework.send(call);
  }

  private static String launch(JsonNode offer, String taskId, String command, double size) {
    return """
    {"type":"LAUNCH","launch":{"task_infos":[{"name":"%s","task_id":{"value":"%s"},
     "agent_id":%s,"command":{"value":"%s"},
     "resources":[%s,%s,%s]}]}}\
    """
        .formatted(
            taskId,
            taskId,
            offer.path("agent_id"),
            command,
            scalar("cpus", 0.5, ""),
            scalar("mem", 32, ""),
            volume(size));
  }

  /** Reserve, create, use, kill the agent, use again, destroy, unreserve; with an id for one. */
  @Test
  void aFrameworksDataOutliveTasksAndTheAgent() throws Exception {
    startMaster();
    MezzoProcess agent = startAgent();
    awaitAgent(it -> it.path("active").asBoolean());
    TestFramework framework = TestFramework.subscribe(master, INFO);
    cluster.own(framework);

    JsonNode first = offer(framework, it -> true);
    accept(
        framework,
        first,
        "{\"type\":\"RESERVE\",\"reserve\":{\"resources\":["
            + scalar("disk", 100, RESERVATION)
            + "]}}",
        "{\"type\":\"CREATE\",\"create\":{\"volumes\":[" + volume(60) + "]}}",
        launch(first, "writer", "echo kept > data/file", 60));
    framework.awaitState("writer", "TASK_FINISHED");
    awaitAgent(it -> it.path("reserved_resources").has("r"));

    agent.kill();
    awaitAgent(it -> !it.path("active").asBoolean());
    startAgent();
    awaitAgent(it -> it.path("active").asBoolean() && it.path("reserved_resources").has("r"));

    read(framework);

    JsonNode third = offer(framework, VolumesIT::hasVolume);
    accept(
        framework,
        third,
        "{\"type\":\"DESTROY\",\"id\":{\"value\":\"gone\"},\"destroy\":{\"volumes\":["
            + volume(60)
            + "]}}");
    JsonNode status =
        framework
            .await("UPDATE_OPERATION_STATUS", event -> true)
            .at("/update_operation_status/status");
    assertThat(status.path("state").asText()).isEqualTo("OPERATION_FINISHED");
    assertThat(status.at("/operation_id/value").asText()).isEqualTo("gone");
    ObjectNode acknowledgement = framework.call("ACKNOWLEDGE_OPERATION_STATUS");
    ObjectNode acknowledge = acknowledgement.putObject("acknowledge_operation_status");
    acknowledge.set("agent_id", status.path("agent_id"));
    acknowledge.set("uuid", status.at("/uuid/value"));
    acknowledge.set("operation_id", status.path("operation_id"));
    framework.send(acknowledgement);
    assertThat(folder.resolve("agent/volumes/roles/r/v")).doesNotExist();

    // By call, for the disk may stand in several offers by now.
    changed(
        "UNRESERVE_RESOURCES",
        "unreserve_resources",
        "\"resources\":[" + scalar("disk", 100, RESERVATION) + "]");
    awaitAgent(it -> !it.path("reserved_resources").has("r"));
    Await.until(
        "no operation is left",
        LIMIT,
        () ->
            operator("{\"type\":\"GET_OPERATIONS\"}")
                .json()
                .at("/get_operations/operations")
                .isEmpty());
  }

  /** An agent that comes back may register twice, which takes the first offers of it back. */
  private void read(TestFramework framework) throws Exception {
    String state = "TASK_DROPPED";
    while (state.equals("TASK_DROPPED")) {
      JsonNode offer = offer(framework, VolumesIT::hasVolume);
      accept(framework, offer, launch(offer, "reader", "grep kept data/file", 60));
      do {
        JsonNode status =
            framework
                .await(
                    "UPDATE",
                    event -> event.at("/update/status/task_id/value").asText().equals("reader"))
                .at("/update/status");
        framework.acknowledge(status);
        state = status.path("state").asText();
      } while (state.equals("TASK_STARTING") || state.equals("TASK_RUNNING"));
    }
    assertThat(state).isEqualTo("TASK_FINISHED");
  }

  private Http.Answer operator(String call) throws Exception {
    return Http.postJson(master.resolve("/api/v1"), call);
  }

  private void changed(String type, String field, String content) throws Exception {
    Http.Answer answer =
        operator(
            "{\"type\":\"%s\",\"%s\":{\"agent_id\":{\"value\":\"%s\"},%s}}"
                .formatted(type, field, cluster.slave().path("id").asText(), content));
    assertThat(answer.status()).as(answer.text()).isEqualTo(202);
  }

  /** Rules 268 to 270, by call. */
  @Test
  void operatorsReserveAndMakeVolumes() throws Exception {
    startMaster();
    startAgent();
    awaitAgent(it -> it.path("active").asBoolean());
    changed(
        "RESERVE_RESOURCES",
        "reserve_resources",
        "\"resources\":[" + scalar("disk", 100, RESERVATION) + "]");
    changed("CREATE_VOLUMES", "create_volumes", "\"volumes\":[" + volume(50) + "]");
    changed(
        "GROW_VOLUME",
        "grow_volume",
        "\"volume\":" + volume(50) + ",\"addition\":" + scalar("disk", 10, RESERVATION));
    changed(
        "SHRINK_VOLUME",
        "shrink_volume",
        "\"volume\":" + volume(60) + ",\"subtract\":{\"value\":20}");
    TestFramework framework = TestFramework.subscribe(master, INFO);
    cluster.own(framework);
    JsonNode offer = offer(framework, VolumesIT::hasVolume);
    accept(framework, offer, launch(offer, "user", "echo 1 > data/f; sleep 1000", 40));
    framework.awaitState("user", "TASK_RUNNING");

    Http.Answer refused =
        operator(
            "{\"type\":\"DESTROY_VOLUMES\",\"destroy_volumes\":{\"agent_id\":{\"value\":\"%s\"},\"volumes\":[%s]}}"
                .formatted(cluster.slave().path("id").asText(), volume(40)));
    assertThat(refused.status()).as(refused.text()).isEqualTo(409);
    framework.teardown();
    // The agent refuses to destroy what a process of its still uses.
    Await.until(
        "the task is gone",
        LIMIT,
        () -> Http.get(cluster.agent().resolve("/state")).json().path("frameworks").isEmpty());
    Await.until(
        "the volume is free",
        LIMIT,
        () ->
            operator(
                        "{\"type\":\"DESTROY_VOLUMES\",\"destroy_volumes\":{\"agent_id\":{\"value\":\"%s\"},\"volumes\":[%s]}}"
                            .formatted(cluster.slave().path("id").asText(), volume(40)))
                    .status()
                == 202);
    changed(
        "UNRESERVE_RESOURCES",
        "unreserve_resources",
        "\"resources\":[" + scalar("disk", 100, RESERVATION) + "]");
    awaitAgent(it -> !it.path("reserved_resources").has("r"));
  }
}
