package org.mezzo.daemon.json;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;

class MaskedTest {
  private static final CommandInfo COMMAND =
      CommandInfo.newBuilder()
          .addUris(CommandInfo.URI.newBuilder().setValue("http://user:geheim@host/tool"))
          .build();
  private static final Task TASK =
      Task.newBuilder()
          .setName("t")
          .setTaskId(TaskID.newBuilder().setValue("t"))
          .setFrameworkId(FrameworkID.newBuilder().setValue("f"))
          .setAgentId(AgentID.newBuilder().setValue("a"))
          .setState(TaskState.TASK_RUNNING)
          .setHealthCheck(HealthCheck.newBuilder().setCommand(COMMAND))
          .build();

  @Test
  void noPasswordOfAUriIsShown() {
    ExecutorInfo executor =
        ExecutorInfo.newBuilder()
            .setExecutorId(ExecutorID.newBuilder().setValue("e"))
            .setCommand(COMMAND)
            .build();
    assertThat(Masked.executor(executor).toString())
        .contains("@host/tool")
        .doesNotContain("geheim");
    assertThat(Masked.task(TASK).toString()).contains("@host/tool").doesNotContain("geheim");
    String json =
        new String(
            JsonOut.bytes(out -> StateJson.task(out, TASK)),
            java.nio.charset.StandardCharsets.UTF_8);
    assertThat(json).contains("@host").doesNotContain("geheim");
  }

  @Test
  void whatHasNoUrisStaysAsItIs() {
    Task task = TASK.toBuilder().clearHealthCheck().build();
    assertThat(Masked.task(task)).isSameAs(task);
  }
}
