package org.mezzo.hooks.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.testing.FakeDaemonContext;

@Timeout(120)
class AuditHookTest {
  private static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder()
          .setUser("batch")
          .setName("f \"x\"")
          .setPrincipal("ada")
          .setId(FrameworkID.newBuilder().setValue("f-1"))
          .build();
  private static final AgentInfo AGENT =
      AgentInfo.newBuilder()
          .setHostname("host1")
          .setId(AgentID.newBuilder().setValue("a-1"))
          .build();

  @TempDir Path folder;

  private FakeDaemonContext context(Map<String, String> parameters) {
    return FakeDaemonContext.agent()
        .withFolders(folder.resolve("work"), folder.resolve("run"))
        .withClock(Clock.fixed(Instant.parse("2026-01-02T03:04:05.678901Z"), ZoneOffset.UTC))
        .withParameters(parameters);
  }

  private static TaskInfo.Builder task(String id) {
    return TaskInfo.newBuilder()
        .setName("n")
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("a-1"))
        .setCommand(
            CommandInfo.newBuilder()
                .setValue("login --password=hidden")
                .setEnvironment(
                    Environment.newBuilder()
                        .addVariables(
                            Environment.Variable.newBuilder()
                                .setName("SECRET")
                                .setValue("hidden"))));
  }

  private static TaskStatus status(TaskState state) {
    return TaskStatus.newBuilder()
        .setTaskId(TaskID.newBuilder().setValue("t"))
        .setState(state)
        .setReason(TaskStatus.Reason.REASON_COMMAND_EXECUTOR_FAILED)
        .setMessage("exited with status 3")
        .build();
  }

  @Test
  void writesALineForEachLaunchAndEnd() throws Exception {
    AuditHook hook = new AuditHook();
    hook.open(context(Map.of()));
    Labels labels =
        Labels.newBuilder().addLabels(Label.newBuilder().setKey("k").setValue("v")).build();
    TaskInfo task =
        task("t")
            .setLabels(labels)
            .addResources(
                Resource.newBuilder()
                    .setName("cpus")
                    .setType(Value.Type.SCALAR)
                    .setScalar(Value.Scalar.newBuilder().setValue(0.5)))
            .build();
    assertThat(hook.agentRunTaskLabels(task, FRAMEWORK, AGENT)).isEqualTo(labels);
    assertThat(hook.agentTaskStatus(FRAMEWORK.getId(), status(TaskState.TASK_RUNNING)))
        .isEqualTo(status(TaskState.TASK_RUNNING));
    TaskStatus end = status(TaskState.TASK_FAILED);
    assertThat(hook.agentTaskStatus(FRAMEWORK.getId(), end)).isSameAs(end);
    hook.agentExecutorRemoved(
        FRAMEWORK,
        ExecutorInfo.newBuilder().setExecutorId(ExecutorID.newBuilder().setValue("e")).build());
    hook.masterAgentLost(AGENT);
    hook.close();
    String begin = "{\"time\":\"2026-01-02T03:04:05.678Z\",\"daemon\":\"agent\",\"event\":";
    assertThat(folder.resolve("work/audit/audit.jsonl"))
        .hasContent(
            begin
                + "\"launch\",\"framework_id\":\"f-1\",\"framework\":\"f \\\"x\\\"\","
                + "\"principal\":\"ada\",\"user\":\"batch\",\"task_id\":\"t\",\"task\":\"n\","
                + "\"agent_id\":\"a-1\",\"hostname\":\"host1\",\"resources\":\"cpus:0.5\","
                + "\"labels\":{\"labels\":[{\"key\":\"k\",\"value\":\"v\"}]}}\n"
                + begin
                + "\"end\",\"framework_id\":\"f-1\",\"task_id\":\"t\",\"state\":\"TASK_FAILED\","
                + "\"reason\":\"REASON_COMMAND_EXECUTOR_FAILED\","
                + "\"message\":\"exited with status 3\"}\n"
                + begin
                + "\"executor_end\",\"framework_id\":\"f-1\",\"framework\":\"f \\\"x\\\"\","
                + "\"executor_id\":\"e\"}\n"
                + begin
                + "\"agent_lost\",\"agent_id\":\"a-1\",\"hostname\":\"host1\"}\n");
  }

  @Test
  void turnsOverFilesByTheirSizeAndGoesOnWithWhatIsThere() throws Exception {
    Path file = folder.resolve("log/a.jsonl");
    Map<String, String> parameters =
        Map.of("path", file.toString(), "max_size", "1KB", "max_files", "2");
    int each = lines(parameters, 1);
    assertThat(each).isBetween(100, 500);
    lines(parameters, 30);
    assertThat(Files.size(file)).isLessThanOrEqualTo(1024);
    for (String older : List.of("a.jsonl.1", "a.jsonl.2")) {
      assertThat(Files.size(file.resolveSibling(older))).isBetween(1024L - each, 1024L);
    }
    assertThat(file.resolveSibling("a.jsonl.3")).doesNotExist();
    List<String> kept = new ArrayList<>();
    for (String name : List.of("a.jsonl.2", "a.jsonl.1", "a.jsonl")) {
      kept.addAll(Files.readAllLines(file.resolveSibling(name)));
    }
    assertThat(kept.get(kept.size() - 1)).contains("\"task_id\":\"t029\"");
    assertThat(kept.get(kept.size() - 5)).contains("\"task_id\":\"t025\"");
  }

  /** Writes so many; how long the file became. */
  private int lines(Map<String, String> parameters, int count) throws Exception {
    FakeDaemonContext context = context(parameters);
    AuditHook hook = new AuditHook();
    hook.open(context);
    for (int i = 0; i < count; i++) {
      hook.masterLaunchTaskLabels(task(String.format("t%03d", i)).build(), FRAMEWORK, AGENT);
    }
    hook.close();
    assertThat(context.metrics().value("lines_written")).isEqualTo(count);
    assertThat(context.metrics().value("lines_dropped")).isZero();
    return (int) Files.size(Path.of(parameters.get("path")));
  }

  @Test
  void whatCannotBeWrittenIsDroppedAndCountedAndHoldsNothingUp() throws Exception {
    Path blocked = Files.writeString(folder.resolve("file"), "no folder");
    FakeDaemonContext context = context(Map.of("path", blocked.resolve("audit.jsonl").toString()));
    AuditHook hook = new AuditHook();
    hook.open(context);
    hook.masterAgentLost(AGENT);
    Await.until("it is dropped", () -> context.metrics().value("lines_dropped") == 1);
    assertThat(context.metrics().value("write_errors")).isEqualTo(1);
    Files.delete(blocked);
    hook.masterAgentLost(AGENT);
    hook.close();
    assertThat(Files.readAllLines(blocked.resolve("audit.jsonl"))).hasSize(1);
  }

  /** A pipe that nobody reads is a disk that does not answer. */
  @Test
  void aDiskThatHangsDropsWhatIsTooMuch() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    FakeDaemonContext context = context(Map.of("path", pipe.toString()));
    AuditHook hook = new AuditHook();
    hook.open(context);
    int many = AuditLog.MOST_WAITING + 2_000;
    for (int i = 0; i < many; i++) {
      hook.masterAgentLost(AGENT);
    }
    // Up to a thousand were taken to be written.
    assertThat(context.metrics().value("lines_dropped")).isBetween(1_000.0, 2_000.0);
    assertThat(context.metrics().value("lines_waiting")).isEqualTo(AuditLog.MOST_WAITING);
    Process reader =
        new ProcessBuilder("cat", pipe.toString())
            .redirectOutput(Path.of("/dev/null").toFile())
            .start();
    hook.close();
    assertThat(context.metrics().value("lines_written") + context.metrics().value("lines_dropped"))
        .isEqualTo(many);
    reader.destroy();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "path      | log.txt | 'path' of hook 'audit' is 'log.txt'; give it an absolute path",
        "max_size  | 10      | 'max_size' of hook 'audit' is '10'; give it a number with B, KB, MB",
        "max_size  | 1B      | of 1024B at least",
        "max_files | -1      | 'max_files' of hook 'audit' is '-1'; give it a whole number from 0",
        "file      | /x      | 'file' of hook 'audit' is unknown; there are 'path', 'max_size' and",
      })
  void saysWhichParameterIsWrongAndWhatMayBeThere(String name, String value, String problem) {
    assertThatThrownBy(() -> new AuditHook().open(context(Map.of(name, value))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(problem);
  }
}
