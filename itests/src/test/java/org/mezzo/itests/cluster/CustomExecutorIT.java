package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Executors that frameworks bring along, in processes of their own, on the built distribution. */
class CustomExecutorIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private static final String INFO =
      """
      {"user":"%s","name":"custom","roles":["test"],"checkpoint":true,"failover_timeout":600.0,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]%s}\
      """;

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private URI master;
  private URI agent;

  @BeforeEach
  void prepare() throws Exception {
    cluster = new MasterAndAgent(folder);
    master = cluster.master();
    agent = cluster.agent();
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private MezzoProcess startMaster() throws Exception {
    return cluster.startMaster("--allocation_interval=200ms");
  }

  private MezzoProcess startAgent(String... more) throws Exception {
    List<String> flags =
        new ArrayList<>(
            List.of(
                "--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=100ms"));
    flags.addAll(List.of(more));
    return cluster.startAgent(flags.toArray(new String[0]));
  }

  private TestFramework framework() throws Exception {
    TestFramework framework =
        TestFramework.subscribe(master, INFO.formatted(System.getProperty("user.name"), ""));
    cluster.own(framework);
    return framework;
  }

  private static String resources(double cpus, int mem) {
    return """
    [{"name":"cpus","type":"SCALAR","scalar":{"value":%s}},
     {"name":"mem","type":"SCALAR","scalar":{"value":%d}}]\
    """
        .formatted(cpus, mem);
  }

  /** The latest offer, which may have come before what was awaited last. */
  private static JsonNode offer(TestFramework framework) {
    AtomicReference<JsonNode> found = new AtomicReference<>();
    Await.until(
        "there is an offer",
        LIMIT,
        () -> {
          framework.events().stream()
              .filter(event -> event.path("type").asText().equals("OFFERS"))
              .forEach(event -> found.set(event.at("/offers/offers/0")));
          return found.get() != null;
        });
    return found.get();
  }

  private static void launch(
      TestFramework framework, String executor, String command, String... tasks) throws Exception {
    JsonNode offer = offer(framework);
    ObjectNode call = framework.call("ACCEPT");
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.get("id"));
    accept.putObject("filters").put("refuse_seconds", 0.0);
    ArrayNode infos =
        accept
            .putArray("operations")
            .addObject()
            .put("type", "LAUNCH")
            .putObject("launch")
            .putArray("task_infos");
    for (String id : tasks) {
      ObjectNode task = infos.addObject().put("name", id);
      task.putObject("task_id").put("value", id);
      task.set("agent_id", offer.get("agent_id"));
      task.set("resources", Http.JSON.readTree(resources(0.1, 32)));
      ObjectNode info = task.putObject("executor").put("name", "custom").put("source", "src");
      info.putObject("executor_id").put("value", executor);
      info.putObject("command").put("shell", true).put("value", command);
      info.set("resources", Http.JSON.readTree(resources(0.1, 64)));
    }
    framework.send(call);
  }

  private void say(TestFramework framework, String executor, String text) throws Exception {
    ObjectNode call = framework.call("MESSAGE");
    ObjectNode message = call.putObject("message");
    message.putObject("agent_id").put("value", agentId());
    message.putObject("executor_id").put("value", executor);
    message.put("data", Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
    framework.send(call);
  }

  private static String heard(TestFramework framework) {
    JsonNode message = framework.await("MESSAGE", event -> true).path("message");
    return new String(
        Base64.getDecoder().decode(message.path("data").asText()), StandardCharsets.UTF_8);
  }

  private String ask(TestFramework framework, String text) throws Exception {
    say(framework, "e", text);
    return heard(framework);
  }

  private String agentId() throws Exception {
    return Http.get(master.resolve("/slaves")).json().at("/slaves/0/id").asText();
  }

  private double used(String name) throws Exception {
    return Http.get(master.resolve("/slaves"))
        .json()
        .at("/slaves/0/used_resources/" + name)
        .asDouble();
  }

  private static String bad(TestFramework framework, String more) {
    return "post {\"framework_id\":{\"value\":\""
        + framework.frameworkId()
        + "\"},\"executor_id\":{\"value\":\"e\"}"
        + more
        + "}";
  }

  @Test
  void servesAnExecutorWithTwoTasks() throws Exception {
    startMaster();
    startAgent();
    TestFramework framework = framework();
    launch(framework, "e", ObedientExecutor.command(), "a", "b");
    JsonNode running = framework.awaitState("a", "TASK_RUNNING");
    assertThat(running.path("message").asText()).isEqualTo("from an executor");
    assertThat(running.path("source").asText()).isEqualTo("SOURCE_EXECUTOR");
    assertThat(running.at("/container_status/container_id/value").asText()).hasSize(36);
    framework.awaitState("b", "TASK_RUNNING");
    assertThat(used("mem")).isEqualTo(128);

    JsonNode executor = Http.get(agent.resolve("/state")).json().at("/frameworks/0/executors/0");
    assertThat(executor.path("id").asText()).isEqualTo("e");
    assertThat(executor.path("source").asText()).isEqualTo("src");
    assertThat(executor.at("/resources/mem").asDouble()).isEqualTo(128);
    assertThat(executor.path("tasks")).hasSize(2);
    JsonNode known = Http.get(master.resolve("/state")).json().at("/frameworks/0/executors/0");
    assertThat(known.path("executor_id").asText()).isEqualTo("e");
    assertThat(known.at("/resources/mem").asDouble()).isEqualTo(64);

    assertThat(ask(framework, "echo hello")).isEqualTo("hello");
    assertThat(ask(framework, "env MESOS_CHECKPOINT")).isEqualTo("1");
    assertThat(ask(framework, "env MESOS_RECOVERY_TIMEOUT")).isEqualTo("15mins");
    assertThat(ask(framework, "env MESOS_SLAVE_ID")).isEqualTo(agentId());
    assertThat(ask(framework, "env MESOS_SANDBOX")).isEqualTo(executor.path("directory").asText());
    String invalid = "400 Failed to validate Executor::Call: ";
    assertThat(ask(framework, bad(framework, ",\"type\":\"SUBSCRIBE\"")))
        .isEqualTo(invalid + "Expecting 'subscribe' to be present");
    assertThat(
            ask(
                framework,
                bad(
                    framework,
                    ",\"type\":\"UPDATE\",\"update\":{\"status\":{\"task_id\":{\"value\":\"a\"},"
                        + "\"state\":\"TASK_RUNNING\"}}")))
        .isEqualTo(invalid + "Expecting 'uuid' to be present");
    assertThat(ask(framework, bad(framework, ",\"type\":\"UNKNOWN\"")))
        .isEqualTo("501 501 Not Implemented.");

    // What is said after its connection was cut reaches the next one.
    say(framework, "e", "cut");
    Await.until(
        "it has subscribed twice",
        LIMIT,
        () ->
            Http.get(
                        agent.resolve(
                            "/files/read?offset=0&path=/frameworks/"
                                + framework.frameworkId()
                                + "/executors/e/runs/latest/stdout"))
                    .text()
                    .split("SUBSCRIBED", -1)
                    .length
                == 3);
    assertThat(ask(framework, "echo again")).isEqualTo("again");

    ObjectNode kill = framework.call("KILL");
    kill.putObject("kill").putObject("task_id").put("value", "a");
    framework.send(kill);
    assertThat(framework.awaitState("a", "TASK_KILLED").path("message").asText())
        .isEqualTo("from an executor");
    Await.until("its resources are free", LIMIT, () -> used("mem") == 96);

    say(framework, "e", "exit 3");
    JsonNode failed = framework.awaitState("b", "TASK_FAILED");
    assertThat(failed.path("reason").asText()).isEqualTo("REASON_EXECUTOR_TERMINATED");
    assertThat(failed.path("message").asText())
        .isEqualTo("Executor terminated: it exited with status 3");
    assertThat(failure(framework)).isEqualTo(3 << 8);
    Await.until("nothing is held", LIMIT, () -> used("mem") == 0);
    assertThat(Http.get(master.resolve("/state")).json().at("/frameworks/0/executors")).isEmpty();
  }

  /** The status with which an executor ended. */
  private static int failure(TestFramework framework) {
    // It may have come before the update.
    JsonNode found =
        framework.events().stream()
            .filter(event -> event.at("/failure/executor_id").has("value"))
            .reduce((first, second) -> second)
            .orElseGet(
                () ->
                    framework.await(
                        "FAILURE", event -> event.at("/failure/executor_id").has("value")));
    return found.at("/failure/status").asInt();
  }

  @Test
  void anExecutorOutlivesItsMasterAndIsShutDownByTheNext() throws Exception {
    MezzoProcess first = startMaster();
    startAgent();
    TestFramework framework = framework();
    launch(framework, "e", ObedientExecutor.command(), "a");
    framework.awaitState("a", "TASK_RUNNING");
    first.kill();
    framework.close();
    startMaster();
    TestFramework again =
        TestFramework.subscribe(
            master,
            INFO.formatted(
                System.getProperty("user.name"),
                ",\"id\":{\"value\":\"" + framework.frameworkId() + "\"}"));
    cluster.own(again);
    Await.until(
        "the master knows the executor",
        LIMIT,
        () ->
            Http.get(master.resolve("/state"))
                .json()
                .at("/frameworks/0/executors/0/executor_id")
                .asText()
                .equals("e"));
    assertThat(ask(again, "echo still here")).isEqualTo("still here");
    launch(again, "e", ObedientExecutor.command(), "b");
    again.awaitState("b", "TASK_RUNNING");
    assertThat(used("mem")).isEqualTo(128);

    ObjectNode shutdown = again.call("SHUTDOWN");
    ObjectNode what = shutdown.putObject("shutdown");
    what.putObject("agent_id").put("value", agentId());
    what.putObject("executor_id").put("value", "e");
    again.send(shutdown);
    again.awaitState("a", "TASK_KILLED");
    again.awaitState("b", "TASK_KILLED");
    assertThat(failure(again)).isZero();
    Await.until("nothing is held", LIMIT, () -> used("mem") == 0);
  }

  /** What its container has, as its statistics say. */
  private double statistic(String name) throws Exception {
    return Http.get(agent.resolve("/monitor/statistics"))
        .json()
        .at("/0/statistics/" + name)
        .asDouble();
  }

  private static final double MEGABYTE = 1024 * 1024;

  @Test
  void anExecutorFindsItsAgentAgainThatWasKilledByItsTokenAndItsContainerFollowsItsTasks()
      throws Exception {
    Path key = folder.resolve("key");
    Files.writeString(key, "0123456789abcdef0123456789abcdef");
    String[] tokens = {"--authenticate_http_executors", "--jwt_secret_key=" + key};
    startMaster();
    MezzoProcess first = startAgent(tokens);
    TestFramework framework = framework();
    launch(framework, "e", ObedientExecutor.command(), "a");
    framework.awaitState("a", "TASK_RUNNING");
    assertThat(statistic("mem_limit_bytes")).isEqualTo(96 * MEGABYTE);
    launch(framework, "e", ObedientExecutor.command(), "b");
    framework.awaitState("b", "TASK_RUNNING");
    first.killAlone();
    cluster.awaitAgent(false);
    startAgent(tokens[0], tokens[1], "--executor_reregistration_timeout=15secs");
    Await.until(
        "it is heard again",
        LIMIT,
        () -> {
          say(framework, "e", "echo still here");
          return framework.events().stream()
              .anyMatch(event -> event.path("type").asText().equals("MESSAGE"));
        });
    assertThat(used("mem")).isEqualTo(128);
    assertThat(statistic("mem_limit_bytes")).isEqualTo(128 * MEGABYTE);
    assertThat(statistic("cpus_soft_limit")).isEqualTo(0.3);
    say(framework, "e", "finish a");
    framework.awaitState("a", "TASK_FINISHED");
    Await.until(
        "its container shrinks", LIMIT, () -> statistic("mem_limit_bytes") == 96 * MEGABYTE);
    say(framework, "e", "exit 3");
    framework.awaitState("b", "TASK_FAILED");
    assertThat(failure(framework)).isEqualTo(3 << 8);
    Await.until("nothing is held", LIMIT, () -> used("mem") == 0);
  }

  @Test
  void servesAnExecutorOnALibraryOfOthers() throws Exception {
    startMaster();
    startAgent();
    Path library = Path.of(System.getProperty("mezzo.clients.rxjava"));
    String command =
        "exec '%s/bin/java' -XX:TieredStopAtLevel=1 -cp '%s:%s/*' org.mezzo.itests.rxjava.%s"
            .formatted(
                System.getProperty("java.home"),
                library.resolve("classes"),
                library.resolve("lib"),
                "RxJavaExecutor");
    TestFramework framework = framework();
    launch(framework, "e", command, "a");
    JsonNode running = framework.awaitState("a", "TASK_RUNNING");
    assertThat(running.path("message").asText()).isEqualTo("from rxjava");
    launch(framework, "e", command, "b");
    framework.awaitState("b", "TASK_RUNNING");
    say(framework, "e", "a");
    framework.awaitState("a", "TASK_FINISHED");
    ObjectNode kill = framework.call("KILL");
    kill.putObject("kill").putObject("task_id").put("value", "b");
    framework.send(kill);
    framework.awaitState("b", "TASK_KILLED");
    ObjectNode shutdown = framework.call("SHUTDOWN");
    ObjectNode what = shutdown.putObject("shutdown");
    what.putObject("agent_id").put("value", agentId());
    what.putObject("executor_id").put("value", "e");
    framework.send(shutdown);
    assertThat(failure(framework)).isZero();
    Await.until("nothing is held", LIMIT, () -> used("mem") == 0);
  }

  /** Rule 185. */
  @Test
  void anAgentThatIsToldToLeaveIsForgottenAtOnceAndEndsWithItsExecutors() throws Exception {
    startMaster();
    MezzoProcess left = startAgent();
    TestFramework framework = framework();
    launch(framework, "e", ObedientExecutor.command(), "a");
    framework.awaitState("a", "TASK_RUNNING");
    long executor = (long) executorPid();
    new ProcessBuilder("kill", "-USR1", Long.toString(left.pid())).inheritIO().start().waitFor();
    JsonNode lost = framework.awaitState("a", "TASK_LOST");
    assertThat(lost.path("reason").asText()).isEqualTo("REASON_AGENT_REMOVED");
    Await.until("the agent has ended", LIMIT, () -> !left.isAlive());
    assertThat(Http.get(master.resolve("/slaves")).json().path("slaves")).isEmpty();
    // Killed, it may be there until somebody has waited for it.
    Await.until("its process is gone", LIMIT, () -> ProcessHandle.of(executor).isEmpty());
  }

  private double executorPid() throws Exception {
    return Http.get(agent.resolve("/containers")).json().at("/0/status/executor_pid").asDouble();
  }

  @Test
  void anExecutorThatNeverSubscribesIsDestroyed() throws Exception {
    startMaster();
    startAgent("--executor_registration_timeout=1secs");
    TestFramework framework = framework();
    launch(framework, "deaf", "exec sleep 1000", "a");
    JsonNode failed = framework.awaitState("a", "TASK_FAILED");
    assertThat(failed.path("reason").asText()).isEqualTo("REASON_EXECUTOR_REGISTRATION_TIMEOUT");
    assertThat(failure(framework)).isEqualTo(9);
    Await.until("nothing is held", LIMIT, () -> used("mem") == 0);
  }
}
