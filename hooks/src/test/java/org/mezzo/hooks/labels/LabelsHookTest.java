package org.mezzo.hooks.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.testing.FakeDaemonContext;

class LabelsHookTest {
  private static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder().setUser("u").setName("f").build();
  private static final AgentInfo AGENT = AgentInfo.newBuilder().setHostname("h").build();

  @Test
  void addsWhatParametersSayOnMasterAndAgent() {
    LabelsHook hook = new LabelsHook();
    hook.open(context(Map.of("label.rack", "r7", "label.cluster", "blue")));

    Labels expected = labels("team", "data", "cluster", "blue", "rack", "r7");
    TaskInfo task = task(labels("team", "data"));
    assertThat(hook.masterLaunchTaskLabels(task, FRAMEWORK, AGENT)).isEqualTo(expected);
    assertThat(hook.agentRunTaskLabels(task, FRAMEWORK, AGENT)).isEqualTo(expected);
  }

  @Test
  void leavesTheTasksOwnLabelsAlone() {
    LabelsHook hook = new LabelsHook();
    hook.open(context(Map.of("label.rack", "r7")));

    Labels own = labels("rack", "mine", "rack", "twice");
    assertThat(hook.masterLaunchTaskLabels(task(own), FRAMEWORK, AGENT)).isEqualTo(own);
  }

  @Test
  void decoratingTwiceAddsNothingMore() {
    LabelsHook hook = new LabelsHook();
    hook.open(context(Map.of("label.rack", "r7")));

    Labels once = hook.masterLaunchTaskLabels(task(labels()), FRAMEWORK, AGENT);
    assertThat(hook.agentRunTaskLabels(task(once), FRAMEWORK, AGENT)).isEqualTo(once);
  }

  @Test
  void withoutConfigurationItChangesNothing() {
    LabelsHook hook = new LabelsHook();
    hook.open(context(Map.of("lable.rack", "typo")));

    assertThat(hook.masterLaunchTaskLabels(task(labels("a", "b")), FRAMEWORK, AGENT))
        .isEqualTo(labels("a", "b"));
  }

  @Test
  void refusesWhatHasNoKey() {
    assertThatThrownBy(() -> new LabelsHook().open(context(Map.of("label.", "x"))))
        .hasMessageContaining("no key");
  }

  private static TaskInfo task(Labels labels) {
    return TaskInfo.newBuilder()
        .setName("t")
        .setTaskId(TaskID.newBuilder().setValue("t"))
        .setAgentId(AgentID.newBuilder().setValue("a"))
        .setLabels(labels)
        .build();
  }

  private static Labels labels(String... keysAndValues) {
    Labels.Builder labels = Labels.newBuilder();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      labels.addLabels(Label.newBuilder().setKey(keysAndValues[i]).setValue(keysAndValues[i + 1]));
    }
    return labels.build();
  }

  private static DaemonContext context(Map<String, String> parameters) {
    return FakeDaemonContext.master().withParameters(parameters);
  }
}
