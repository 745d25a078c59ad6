package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** Groups of tasks, as a framework and those who look see them. */
class TaskGroupIT {
  private static final String INFO =
      """
      {"user":"%s","name":"groups","roles":["r"],"checkpoint":true,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"RESERVATION_REFINEMENT"},
                       {"type":"PARTITION_AWARE"}%s]}\
      """;

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

  private static TestFramework subscribed(String... capabilities) throws Exception {
    StringBuilder more = new StringBuilder();
    for (String capability : capabilities) {
      more.append(",{\"type\":\"").append(capability).append("\"}");
    }
    return TestFramework.subscribe(
        cluster.master(), INFO.formatted(System.getProperty("user.name"), more));
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  private static void resource(ArrayNode resources, String name, double value) {
    resources
        .addObject()
        .put("name", name)
        .put("type", "SCALAR")
        .putObject("scalar")
        .put("value", value);
  }

  /** Launches a group under the executor "e": commands by the ids of their tasks. */
  private static void launch(
      TestFramework framework, JsonNode offer, Map<String, String> commands, List<String> order)
      throws Exception {
    launch(framework, offer, commands, order, Map.of(), Map.of());
  }

  /**
   * The same.
   *
   * @param checks commands by the ids of tasks
   * @param shared folders of the executor's sandbox by the ids of tasks that have them
   */
  private static void launch(
      TestFramework framework,
      JsonNode offer,
      Map<String, String> commands,
      List<String> order,
      Map<String, String> checks,
      Map<String, String> shared)
      throws Exception {
    ObjectNode call = framework.call("ACCEPT");
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.get("id"));
    accept.putObject("filters").put("refuse_seconds", 0.0);
    ObjectNode group =
        accept
            .putArray("operations")
            .addObject()
            .put("type", "LAUNCH_GROUP")
            .putObject("launch_group");
    ObjectNode executor = group.putObject("executor").put("type", "DEFAULT");
    executor.putObject("executor_id").put("value", "e");
    executor.putObject("framework_id").put("value", framework.frameworkId());
    ArrayNode own = executor.putArray("resources");
    resource(own, "cpus", 0.1);
    resource(own, "mem", 32);
    resource(own, "disk", 10);
    ArrayNode tasks = group.putObject("task_group").putArray("tasks");
    for (String id : order) {
      ObjectNode task = tasks.addObject().put("name", "name of " + id);
      task.putObject("task_id").put("value", id);
      task.set("agent_id", offer.get("agent_id"));
      task.putObject("command").put("shell", true).put("value", commands.get(id));
      if (shared.containsKey(id)) {
        ObjectNode container = task.putObject("container").put("type", "MESOS");
        ObjectNode volume = container.putArray("volumes").addObject();
        volume.put("mode", "RW").put("container_path", "at-" + id);
        volume
            .putObject("source")
            .put("type", "SANDBOX_PATH")
            .putObject("sandbox_path")
            .put("type", "PARENT")
            .put("path", shared.get(id));
      }
      ArrayNode resources = task.putArray("resources");
      resource(resources, "cpus", 0.1);
      resource(resources, "mem", 32);
      if (checks.containsKey(id)) {
        ObjectNode check = task.putObject("check").put("type", "COMMAND").put("delay_seconds", 0);
        check
            .putObject("command")
            .putObject("command")
            .put("shell", true)
            .put("value", checks.get(id));
      }
    }
    framework.send(call);
  }

  /** The next update of any task, acknowledged. */
  private static JsonNode update(TestFramework framework) throws Exception {
    JsonNode status = framework.await("UPDATE", event -> true).at("/update/status");
    framework.acknowledge(status);
    return status;
  }

  private static String task(JsonNode status) {
    return status.at("/task_id/value").asText();
  }

  private static String told(JsonNode status) {
    return task(status) + " " + status.path("state").asText();
  }

  /** Updates until so many tasks have one of that state, in the order in which they came. */
  private static List<JsonNode> until(TestFramework framework, String state, int count)
      throws Exception {
    List<JsonNode> all = new ArrayList<>();
    int seen = 0;
    while (seen < count) {
      JsonNode status = update(framework);
      all.add(status);
      seen += status.path("state").asText().equals(state) ? 1 : 0;
    }
    return all;
  }

  private static URI agent() throws Exception {
    return URI.create("http://127.0.0.1:" + cluster.agents().get(0).path("port").asInt());
  }

  private static JsonNode ours(JsonNode state, TestFramework framework) {
    for (String list : List.of("frameworks", "completed_frameworks")) {
      for (JsonNode one : state.path(list)) {
        if (one.path("id").asText().equals(framework.frameworkId())) {
          return one;
        }
      }
    }
    throw new AssertionError("Not there: " + framework.frameworkId() + " in " + state);
  }

  private static String read(String path) throws Exception {
    return Http.get(agent().resolve("/files/read?offset=0&path=" + path))
        .json()
        .path("data")
        .asText();
  }

  /** Which fields there are and of which types, with what lists hold as one. */
  private static void shape(JsonNode node, String at, Set<String> into) {
    if (node.isObject()) {
      node.properties().forEach(field -> shape(field.getValue(), at + "." + field.getKey(), into));
    } else if (node.isArray()) {
      into.add(at + "[]");
      node.forEach(element -> shape(element, at + "[]", into));
    } else {
      into.add(at + " " + node.getNodeType());
    }
  }

  private static Set<String> shape(JsonNode node) {
    Set<String> into = new TreeSet<>();
    shape(node, "", into);
    return into;
  }

  private static JsonNode recorded(String who) throws Exception {
    try (InputStream in = TaskGroupIT.class.getResourceAsStream("/group-state.json")) {
      return Http.JSON.readTree(in).path(who);
    }
  }

  /** Rules 212 to 217, and what master and agent show meanwhile. */
  @Test
  void theFirstThatFailsEndsTheOthers() throws Exception {
    try (TestFramework framework = subscribed("TASK_KILLING_STATE")) {
      JsonNode offer = offer(framework);
      launch(
          framework,
          offer,
          Map.of(
              "a", "echo one; env; echo all; while [ ! -e go ]; do sleep 0.1; done; exit 3",
              "b", "echo two; sleep 1000",
              "c", "echo three"),
          List.of("a", "b", "c"));
      List<JsonNode> first = until(framework, "TASK_FINISHED", 1);
      assertThat(first).extracting(TaskGroupIT::told).startsWith("a TASK_STARTING");
      assertThat(first)
          .filteredOn(it -> it.path("state").asText().equals("TASK_STARTING"))
          .extracting(TaskGroupIT::task)
          .containsExactly("a", "b", "c");
      List<JsonNode> running =
          first.stream().filter(it -> it.path("state").asText().equals("TASK_RUNNING")).toList();
      for (JsonNode status : first) {
        assertThat(status.path("source").asText()).isEqualTo("SOURCE_EXECUTOR");
        assertThat(status.at("/executor_id/value").asText()).isEqualTo("e");
        assertThat(status.has("reason")).isFalse();
      }
      JsonNode finished = first.get(first.size() - 1);
      assertThat(task(finished)).isEqualTo("c");
      assertThat(finished.path("message").asText()).isEqualTo("Command exited with status 0");
      if (running.size() < 3) {
        running = new ArrayList<>(running);
        running.addAll(until(framework, "TASK_RUNNING", 3 - running.size()));
      }
      String parent = running.get(0).at("/container_status/container_id/parent/value").asText();
      assertThat(running)
          .allSatisfy(
              it -> {
                assertThat(it.at("/container_status/container_id/parent/value").asText())
                    .isEqualTo(parent);
                assertThat(it.at("/container_status/executor_pid").asInt()).isPositive();
                assertThat(
                        it.at("/container_status/network_infos/0/ip_addresses/0/ip_address")
                            .asText())
                    .isEqualTo("127.0.0.1");
              })
          .extracting(it -> it.at("/container_status/container_id/value").asText())
          .doesNotHaveDuplicates();

      JsonNode atMaster = ours(Http.get(cluster.master().resolve("/state")).json(), framework);
      JsonNode atAgent = ours(Http.get(agent().resolve("/state")).json(), framework);
      assertThat(shape(atMaster.path("executors")))
          .isEqualTo(shape(recorded("master").path("executors")));
      assertThat(shape(atMaster.path("tasks"))).isEqualTo(shape(recorded("master").path("tasks")));
      JsonNode executor = atAgent.at("/executors/0");
      JsonNode wanted = recorded("agent").at("/executors/0");
      assertThat(shape(executor.path("tasks"))).isEqualTo(shape(wanted.path("tasks")));
      assertThat(fields(executor)).containsExactlyElementsOf(fields(wanted));
      assertThat(executor.path("type").asText()).isEqualTo("DEFAULT");
      assertThat(executor.path("container").asText()).isEqualTo(parent);
      assertThat(executor.at("/resources/mem").asDouble()).isEqualTo(96);
      String sandbox = executor.path("directory").asText();
      assertThat(sandbox).endsWith("/executors/e/runs/" + parent);

      // A task is found by its id and by its container's.
      String container =
          running.stream()
              .filter(it -> task(it).equals("a"))
              .map(it -> it.at("/container_status/container_id/value").asText())
              .findFirst()
              .orElseThrow();
      Await.until("a has said it all", () -> read(sandbox + "/tasks/a/stdout").endsWith("all\n"));
      assertThat(read(sandbox + "/tasks/a/stdout"))
          .startsWith("one\n")
          .contains("MESOS_TASK_ID=a\n")
          .contains("MESOS_EXECUTOR_ID=e\n")
          .contains("MESOS_CONTAINER_IP=127.0.0.1\n")
          .contains("MESOS_ALLOCATION_ROLE=r\n")
          .contains("MESOS_SANDBOX=" + sandbox + "/containers/" + container + "\n");
      assertThat(read(sandbox + "/containers/" + container + "/stdout")).startsWith("one\n");
      Await.until("b has said it", () -> read(sandbox + "/tasks/b/stdout").equals("two\n"));
      assertThat(read(sandbox + "/tasks/c/stdout")).isEqualTo("three\n");
      assertThat(
              read(
                  "/frameworks/"
                      + framework.frameworkId()
                      + "/executors/e/runs/latest/tasks/b/stdout"))
          .isEqualTo("two\n");

      Files.createFile(Path.of(sandbox, "containers", container, "go"));
      assertThat(until(framework, "TASK_KILLED", 1))
          .satisfiesExactly(
              failed -> {
                assertThat(told(failed)).isEqualTo("a TASK_FAILED");
                assertThat(failed.path("message").asText())
                    .isEqualTo("Command exited with status 3");
              },
              killing -> assertThat(told(killing)).isEqualTo("b TASK_KILLING"),
              killed -> {
                assertThat(told(killed)).isEqualTo("b TASK_KILLED");
                assertThat(killed.path("message").asText())
                    .isEqualTo("Command terminated with signal Terminated");
                assertThat(killed.has("reason")).isFalse();
                assertThat(killed.path("source").asText()).isEqualTo("SOURCE_EXECUTOR");
              });
      JsonNode failure = failure(framework);
      assertThat(failure.at("/executor_id/value").asText()).isEqualTo("e");
      assertThat(failure.path("status").asInt(-1)).isZero();
      assertNothingHeld(framework);
      // What a task wrote stays when all is over.
      assertThat(read(sandbox + "/tasks/b/stdout")).isEqualTo("two\n");
      framework.teardown();
    }
  }

  private static List<String> fields(JsonNode node) {
    return node.properties().stream().map(Map.Entry::getKey).toList();
  }

  private static void assertNothingHeld(TestFramework framework) {
    Await.until(
        "nothing is held",
        () -> {
          JsonNode there = ours(Http.get(cluster.master().resolve("/state")).json(), framework);
          return there.at("/used_resources/mem").asDouble(-1) == 0
              && there.path("executors").isEmpty()
              && there.path("tasks").isEmpty();
        });
  }

  /** Rule 237. */
  @Test
  void aCheckRunsInTheContainerOfItsTask() throws Exception {
    try (TestFramework framework = subscribed()) {
      launch(
          framework,
          offer(framework),
          Map.of("a", "sleep 1000", "b", "sleep 1000"),
          List.of("a", "b"),
          Map.of("a", "echo $MEZZO_CONTAINER_ID; exit 7"),
          Map.of());
      List<JsonNode> told = until(framework, "TASK_RUNNING", 3);
      JsonNode checked =
          told.stream()
              .filter(it -> it.path("reason").asText().contains("CHECK"))
              .findFirst()
              .get();
      assertThat(told(checked)).isEqualTo("a TASK_RUNNING");
      assertThat(checked.at("/check_status/command/exit_code").asInt(-1)).isEqualTo(7);
      String container = checked.at("/container_status/container_id/value").asText();
      String parent = checked.at("/container_status/container_id/parent/value").asText();
      String sandbox =
          ours(Http.get(agent().resolve("/state")).json(), framework)
              .at("/executors/0/directory")
              .asText();
      assertThat(read(sandbox + "/tasks/a/stderr"))
          .startsWith(parent + "." + container + ".check-");
      kill(framework, "a");
      until(framework, "TASK_KILLED", 2);
      framework.teardown();
    }
  }

  /** A second group of the same executor lives on when the first one is killed. */
  @Test
  void theKillOfOneEndsItsGroupAndNoOther() throws Exception {
    try (TestFramework framework = subscribed()) {
      launch(
          framework,
          offer(framework),
          Map.of("a", "sleep 1000", "b", "sleep 1000", "c", "sleep 1000"),
          List.of("a", "b", "c"));
      until(framework, "TASK_RUNNING", 3);
      JsonNode second = offerWithExecutor(framework);
      assertThat(second.at("/executor_ids/0/value").asText()).isEqualTo("e");
      launch(framework, second, Map.of("other", "sleep 1000"), List.of("other"));
      until(framework, "TASK_RUNNING", 1);
      kill(framework, "b");
      List<JsonNode> killed = until(framework, "TASK_KILLED", 3);
      assertThat(killed).extracting(TaskGroupIT::told).startsWith("b TASK_KILLED");
      assertThat(killed)
          .extracting(TaskGroupIT::told)
          .containsExactlyInAnyOrder("b TASK_KILLED", "a TASK_KILLED", "c TASK_KILLED");
      JsonNode state = ours(Http.get(cluster.master().resolve("/state")).json(), framework);
      assertThat(StreamSupport.stream(state.path("tasks").spliterator(), false))
          .extracting(it -> it.path("id").asText())
          .contains("other");
      assertThat(state.path("executors")).hasSize(1);
      kill(framework, "other");
      assertThat(told(update(framework))).isEqualTo("other TASK_KILLED");
      failure(framework);
      assertNothingHeld(framework);
      framework.teardown();
    }
  }

  /** The latest offer that names an executor, for those that came before it do not. */
  private static JsonNode offerWithExecutor(TestFramework framework) {
    return seen(framework, "/offers/offers/0", "executor_ids");
  }

  /** The end of the executor, which may be told before the last updates of its tasks are. */
  private static JsonNode failure(TestFramework framework) {
    return seen(framework, "/failure", "executor_id");
  }

  private static JsonNode seen(TestFramework framework, String part, String field) {
    AtomicReference<JsonNode> found = new AtomicReference<>();
    Await.until(
        "something came with " + field,
        () -> {
          for (JsonNode event : framework.events()) {
            if (event.at(part).has(field)) {
              found.set(event.at(part));
            }
          }
          return found.get() != null;
        });
    return found.get();
  }

  private static void kill(TestFramework framework, String task) throws Exception {
    ObjectNode call = framework.call("KILL");
    call.putObject("kill").putObject("task_id").put("value", task);
    framework.send(call);
  }

  @Test
  void tasksShareAFolderOfTheirExecutor() throws Exception {
    try (TestFramework framework = subscribed()) {
      launch(
          framework,
          offer(framework),
          Map.of(
              "writer", "echo word > at-writer/made; mv at-writer/made at-writer/word",
              "reader", "until cat at-reader/word; do sleep 0.1; done 2>/dev/null"),
          List.of("writer", "reader"),
          Map.of(),
          Map.of("writer", "shared/deep", "reader", "./shared/deep/"));
      assertThat(until(framework, "TASK_FINISHED", 2))
          .extracting(it -> it.path("state").asText())
          .doesNotContain("TASK_FAILED");
      String sandbox = "/frameworks/" + framework.frameworkId() + "/executors/e/runs/latest";
      assertThat(read(sandbox + "/tasks/reader/stdout")).isEqualTo("word\n");
      assertThat(read(sandbox + "/shared/deep/word")).isEqualTo("word\n");
      assertThat(read(sandbox + "/tasks/writer/at-writer/word")).isEqualTo("word\n");
      failure(framework);
      assertNothingHeld(framework);
      framework.teardown();
    }
  }

  @Test
  void aGroupThatWouldShareWhatIsOutsideTheSandboxFails() throws Exception {
    try (TestFramework framework = subscribed()) {
      launch(
          framework,
          offer(framework),
          Map.of("a", "true", "b", "true"),
          List.of("a", "b"),
          Map.of(),
          Map.of("b", "../../other"));
      for (JsonNode status : List.of(update(framework), update(framework))) {
        assertThat(status.path("state").asText()).isEqualTo("TASK_FAILED");
        assertThat(status.path("reason").asText()).isEqualTo("REASON_CONTAINER_LAUNCH_FAILED");
        assertThat(status.path("message").asText())
            .contains("The volume at 'at-b'", "'../../other'", "stays in the sandbox");
      }
      assertNothingHeld(framework);
      framework.teardown();
    }
  }

  /** Rule 90. */
  @Test
  void anInvalidGroupLeavesNothing() throws Exception {
    try (TestFramework framework = subscribed()) {
      launch(
          framework,
          offer(framework),
          Map.of("a", "true", "b/", "true", "c", "true"),
          List.of("a", "b/", "c"));
      for (String id : List.of("a", "b/", "c")) {
        JsonNode status = update(framework);
        assertThat(told(status)).isEqualTo(id + " TASK_ERROR");
        assertThat(status.path("reason").asText()).isEqualTo("REASON_TASK_GROUP_INVALID");
        assertThat(status.path("message").asText())
            .isEqualTo("Task 'b/' is invalid: 'b/' contains invalid characters");
      }
      assertNothingHeld(framework);
      assertThat(Http.get(agent().resolve("/state")).text())
          .doesNotContain(framework.frameworkId());
      framework.teardown();
    }
  }
}
