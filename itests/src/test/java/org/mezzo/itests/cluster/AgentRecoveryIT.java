package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.files.log.RecordLog;
import org.mezzo.fixtures.Await;

/** Agents that are killed, stopped and started again, and tasks that must not notice. */
class AgentRecoveryIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final int KILLS = Integer.getInteger("mezzo.recovery.kills", 6);
  private static final int TASKS = Integer.getInteger("mezzo.recovery.tasks", 60);
  private static final Set<String> ENDS =
      Set.of("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_DROPPED");

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private URI master;
  private MezzoProcess agent;

  /** Events that were looked at, and the updates among them. */
  private int seen;

  private int heard;

  @BeforeEach
  void prepare() throws Exception {
    cluster = new MasterAndAgent(folder);
    master = cluster.master();
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
    // What a test that failed has left running would do so for ever.
    ProcessHandle.allProcesses()
        .filter(this::runsInSandbox)
        .forEach(ProcessHandle::destroyForcibly);
  }

  private void startCluster() throws Exception {
    cluster.startMaster("--allocation_interval=100ms");
    startAgent();
  }

  private void startAgent() throws Exception {
    agent = cluster.startAgent("--resources=cpus:8;mem:4096;disk:1024");
    cluster.awaitAgent(true);
  }

  private TestFramework framework(boolean checkpoint) throws Exception {
    TestFramework framework =
        TestFramework.subscribe(
            master,
            """
            {"user":"%s","name":"recovery","roles":["r"],"checkpoint":%s,"failover_timeout":600.0,
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
            """
                .formatted(System.getProperty("user.name"), checkpoint));
    cluster.own(framework);
    return framework;
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true, LIMIT).at("/offers/offers/0");
  }

  /** The sandbox of the only run of a task. */
  private Path sandbox(String task) throws Exception {
    try (Stream<Path> all = Files.walk(folder.resolve("agent/slaves"), 8)) {
      return all.filter(path -> path.endsWith(Path.of("executors", task, "runs", "latest")))
          .findFirst()
          .orElseThrow();
    }
  }

  /** Ends once the file is there, with 3 in the task {@code ends} and 0 in others. */
  private static String waitingFor(String file) {
    return "echo $$ > pid; while [ ! -e %s ]; do sleep 0.05; done; ".formatted(file)
        + "if [ $MESOS_TASK_ID = ends ]; then exit 3; else exit 0; fi";
  }

  private long pid(String task) throws Exception {
    Path file = sandbox(task).resolve("pid");
    Await.until("the task's pid is known", () -> !Files.readString(file).isBlank());
    return Long.parseLong(Files.readString(file).strip());
  }

  private static List<String> ends(TestFramework framework, String task) {
    return framework.events().stream()
        .map(event -> event.at("/update/status"))
        .filter(status -> status.at("/task_id/value").asText().equals(task))
        .filter(status -> ENDS.contains(status.path("state").asText()))
        .map(status -> status.path("state").asText() + " " + status.path("uuid").asText())
        .distinct()
        .toList();
  }

  @Test
  void tasksOfAKilledAgentRunOnAndWhatEndedMeanwhileIsTold() throws Exception {
    startCluster();
    TestFramework framework = framework(true);
    framework.launch(offer(framework), List.of("runs", "ends"), waitingFor("end"));
    framework.awaitState("runs", "TASK_RUNNING");
    long runs = pid("runs");
    long ends = pid("ends");

    agent.killAlone();
    cluster.awaitAgent(false);
    Files.createFile(sandbox("ends").resolve("end"));
    Await.until("it has ended", () -> ProcessHandle.of(ends).isEmpty());
    startAgent();

    JsonNode status = framework.awaitState("ends", "TASK_FAILED");
    assertThat(status.path("message").asText()).isEqualTo("Command exited with status 3");
    assertThat(ProcessHandle.of(runs)).isPresent();
    assertThat(ends(framework, "runs")).isEmpty();
    assertThat(Http.get(master.resolve("/tasks")).json().path("tasks"))
        .anyMatch(
            task ->
                task.path("id").asText().equals("runs")
                    && task.path("state").asText().equals("TASK_RUNNING"));

    Files.createFile(sandbox("runs").resolve("end"));
    framework.awaitState("runs", "TASK_FINISHED");
    assertThat(ends(framework, "runs")).hasSize(1);
    assertThat(ends(framework, "ends")).hasSize(1);
  }

  @Test
  void groupsRunOnAndStillEndTogether() throws Exception {
    startCluster();
    TestFramework framework = framework(true);
    JsonNode offer = offer(framework);
    ObjectNode call = framework.call("ACCEPT");
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.get("id"));
    accept.putArray("operations").add(Http.JSON.readTree(group(framework, offer)));
    framework.send(call);
    framework.awaitState("runs", "TASK_RUNNING");
    Path tasks = sandbox("e").resolve("tasks");
    for (String task : List.of("runs", "ends")) {
      Path pid = tasks.resolve(task).resolve("pid");
      Await.until("task " + task + " runs", () -> !Files.readString(pid).isBlank());
    }
    long runs = Long.parseLong(Files.readString(tasks.resolve("runs/pid")).strip());

    agent.killAlone();
    cluster.awaitAgent(false);
    startAgent();
    assertThat(ProcessHandle.of(runs)).isPresent();
    assertThat(ends(framework, "runs")).isEmpty();
    Files.createFile(tasks.resolve("ends/end"));
    framework.awaitState("ends", "TASK_FAILED");
    // What it was told before may come again, and has to be acknowledged before the end.
    framework.awaitState("runs", "TASK_KILLED");
    assertThat(ends(framework, "runs")).hasSize(1);
    Await.until("its process is gone", () -> ProcessHandle.of(runs).isEmpty());
  }

  private static String group(TestFramework framework, JsonNode offer) {
    String resources =
        "[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":0.1}},"
            + "{\"name\":\"mem\",\"type\":\"SCALAR\",\"scalar\":{\"value\":32}},"
            + "{\"name\":\"disk\",\"type\":\"SCALAR\",\"scalar\":{\"value\":10}}]";
    String task =
        """
        {"name":"%1$s","task_id":{"value":"%1$s"},"agent_id":%2$s,"resources":%3$s,
         "command":{"value":"%4$s"}}\
        """;
    return """
    {"type":"LAUNCH_GROUP","launch_group":{
     "executor":{"type":"DEFAULT","executor_id":{"value":"e"},
                 "framework_id":{"value":"%s"},"resources":%s},
     "task_group":{"tasks":[%s,%s]}}}\
    """
        .formatted(
            framework.frameworkId(),
            resources,
            task.formatted("runs", offer.get("agent_id"), resources, waitingFor("end")),
            task.formatted("ends", offer.get("agent_id"), resources, waitingFor("end")));
  }

  @Test
  void tasksRunOnWhenTheirAgentIsStoppedAndCanBeKilledAfterwards() throws Exception {
    startCluster();
    TestFramework framework = framework(true);
    framework.launch(offer(framework), "runs", waitingFor("end"));
    framework.awaitState("runs", "TASK_RUNNING");
    long pid = pid("runs");
    agent.terminate();
    assertThat(agent.await(LIMIT)).isEqualTo(143);
    assertThat(ProcessHandle.of(pid)).isPresent();
    startAgent();
    var kill = framework.call("KILL");
    kill.putObject("kill").putObject("task_id").put("value", "runs");
    framework.send(kill);
    framework.awaitState("runs", "TASK_KILLED");
    Await.until("its process is gone", () -> ProcessHandle.of(pid).isEmpty());
    assertThat(ends(framework, "runs")).hasSize(1);
  }

  @Test
  void tasksOfFrameworksThatDoNotWantItEndWithTheirAgent() throws Exception {
    startCluster();
    TestFramework framework = framework(false);
    framework.launch(offer(framework), "runs", waitingFor("end"));
    framework.awaitState("runs", "TASK_RUNNING");
    long pid = pid("runs");
    agent.killAlone();
    cluster.awaitAgent(false);
    startAgent();
    Await.until("its process is gone", () -> ProcessHandle.of(pid).isEmpty());
    Await.until("its end is told", LIMIT, () -> !ends(framework, "runs").isEmpty());
  }

  /** What a reboot leaves: the work directory, written during another boot, and no process. */
  private void reboot() throws Exception {
    agent.killAlone();
    agent.await(LIMIT);
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      all.filter(
              process ->
                  runsInSandbox(process)
                      || process
                          .info()
                          .commandLine()
                          .orElse("")
                          .contains(folder.resolve("run").toString()))
          .forEach(ProcessHandle::destroyForcibly);
    }
    Distribution.delete(folder.resolve("run"));
    byte[] id = "another-boot".getBytes(StandardCharsets.UTF_8);
    // A message with one field, which is a string.
    byte[] entry =
        ByteBuffer.allocate(id.length + 2).put((byte) 10).put((byte) id.length).put(id).array();
    try (RecordLog journal =
        RecordLog.open("Journal", "none", folder.resolve("agent/meta/journal"))) {
      assertThat(journal.contents()).containsKey("boot");
      journal.store(List.of(new RecordLog.Change("boot", entry)));
    }
  }

  /** Rule 178. */
  @Test
  void afterARebootTasksAreToldToHaveEndedAndTheAgentIsTheSame() throws Exception {
    startCluster();
    TestFramework framework = framework(true);
    framework.launch(offer(framework), List.of("a", "b"), waitingFor("end"));
    framework.awaitState("a", "TASK_RUNNING");
    framework.awaitState("b", "TASK_RUNNING");
    String id = cluster.slave().path("id").asText();
    reboot();
    cluster.awaitAgent(false);
    startAgent();
    for (String task : List.of("a", "b")) {
      JsonNode failed = framework.awaitState(task, "TASK_FAILED");
      while (!failed.has("uuid")) {
        // The master may say so first, when the agent was away for long (rule 146).
        failed = framework.awaitState(task, "TASK_FAILED");
      }
      assertThat(failed.path("reason").asText()).isEqualTo("REASON_EXECUTOR_TERMINATED");
      assertThat(failed.path("message").asText()).isEqualTo("The machine was rebooted");
    }
    assertThat(cluster.slave().path("id").asText()).isEqualTo(id);
    Await.until(
        "nothing is held", () -> cluster.slave().at("/used_resources/cpus").asDouble() == 0);
    framework.launch(offer(framework), "after", "exit 0");
    framework.awaitState("after", "TASK_FINISHED");
  }

  /** Killed at any instant: each task ends once, and nothing runs that nobody knows of. */
  @Test
  void everyTaskEndsOnceHoweverOftenTheAgentIsKilled() throws Exception {
    long seed = Long.getLong("mezzo.recovery.seed", System.nanoTime());
    // Whoever reads of a failure has to know it.
    System.out.println("AgentRecoveryIT: -Dmezzo.recovery.seed=" + seed);
    Random random = new Random(seed);
    startCluster();
    TestFramework framework = framework(true);
    int launched = 0;
    int kills = 0;
    while (launched < TASKS || kills < KILLS) {
      if (launched < TASKS) {
        JsonNode offer = offer(framework);
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5 && launched < TASKS; i++) {
          ids.add("t" + launched++);
        }
        framework.launch(offer, ids, "sleep 0.$(( $$ % 10 )); exit 0");
      }
      if (kills * TASKS < launched * KILLS) {
        int tasks = launched;
        int updates = heard + random.nextInt(12);
        Await.until(
            "so much has happened that the agent is killed",
            LIMIT,
            () -> hear(framework) >= updates || allEnded(framework, tasks));
        kills++;
        agent.killAlone();
        cluster.awaitAgent(false);
        startAgent();
      }
    }
    int tasks = launched;
    Await.until(
        "every task has ended",
        LIMIT,
        () -> {
          hear(framework);
          return allEnded(framework, tasks);
        });
    for (int i = 0; i < tasks; i++) {
      assertThat(ends(framework, "t" + i)).as("t" + i).hasSize(1);
    }
    Await.until(
        "nothing runs in a sandbox any more",
        LIMIT,
        () -> ProcessHandle.allProcesses().noneMatch(this::runsInSandbox));
  }

  /**
   * Acknowledges what has come, again what comes again: that was not heard.
   *
   * @return how many updates have come in all
   */
  private int hear(TestFramework framework) throws IOException {
    List<JsonNode> events = framework.events();
    for (; seen < events.size(); seen++) {
      if (events.get(seen).path("type").asText().equals("UPDATE")) {
        framework.acknowledge(events.get(seen).at("/update/status"));
        heard++;
      }
    }
    return heard;
  }

  private static boolean allEnded(TestFramework framework, int tasks) {
    return IntStream.range(0, tasks).noneMatch(i -> ends(framework, "t" + i).isEmpty());
  }

  private boolean runsInSandbox(ProcessHandle process) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/cwd"))
          .startsWith(folder.resolve("agent/slaves"));
    } catch (IOException e) {
      // It has ended.
      return false;
    }
  }
}
