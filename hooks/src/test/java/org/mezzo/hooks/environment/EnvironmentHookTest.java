package org.mezzo.hooks.environment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.testing.FakeDaemonContext;

class EnvironmentHookTest {
  private static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder().setUser("u").setName("f").build();
  private static final CommandInfo COMMAND =
      CommandInfo.newBuilder()
          .setEnvironment(
              Environment.newBuilder()
                  .addVariables(Environment.Variable.newBuilder().setName("OWN").setValue("mine")))
          .build();
  private static final TaskInfo TASK =
      TaskInfo.newBuilder()
          .setName("t")
          .setTaskId(TaskID.newBuilder().setValue("t"))
          .setAgentId(AgentID.newBuilder().setValue("a"))
          .setCommand(COMMAND)
          .build();
  private static final ExecutorInfo EXECUTOR =
      ExecutorInfo.newBuilder()
          .setExecutorId(ExecutorID.newBuilder().setValue("e"))
          .setCommand(COMMAND)
          .build();

  private static EnvironmentHook opened(Map<String, String> parameters) {
    EnvironmentHook hook = new EnvironmentHook();
    hook.open(FakeDaemonContext.agent().withParameters(parameters));
    return hook;
  }

  @Test
  void addsToTasksAndExecutorsWhatTheirFrameworkDidNotSet() {
    EnvironmentHook hook = opened(Map.of("variable.PROXY", "p:3128", "variable.OWN", "ours"));
    assertThat(hook.agentTaskEnvironment(TASK)).isEqualTo(Map.of("PROXY", "p:3128"));
    assertThat(hook.agentExecutorEnvironment(EXECUTOR, FRAMEWORK))
        .isEqualTo(Map.of("PROXY", "p:3128"));
    assertThat(hook.agentTaskEnvironment(TASK.toBuilder().clearCommand().build()))
        .isEqualTo(Map.of("PROXY", "p:3128", "OWN", "ours"));
  }

  @Test
  void overridesWhereItIsToldTo() {
    EnvironmentHook hook = opened(Map.of("variable.OWN", "ours", "override", "true"));
    assertThat(hook.agentTaskEnvironment(TASK)).isEqualTo(Map.of("OWN", "ours"));
    assertThat(hook.agentExecutorEnvironment(EXECUTOR, FRAMEWORK)).isEqualTo(Map.of("OWN", "ours"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "variable.   | x    | 'variable.' of hook 'environment' has no name",
        "variable.A=B| x    | 'variable.A=B' of hook 'environment' cannot be a variable",
        "override    | yes  | 'override' of hook 'environment' is 'yes'; give it 'true' or 'false'",
        "override    | true | 'variable.NAME' of hook 'environment' is missing",
        "varible.A   | x    | 'varible.A' of hook 'environment' is unknown; there are 'variable.N",
      })
  void saysWhichParameterIsWrongAndWhatMayBeThere(String name, String value, String problem) {
    assertThatThrownBy(() -> opened(Map.of(name, value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(problem);
  }
}
