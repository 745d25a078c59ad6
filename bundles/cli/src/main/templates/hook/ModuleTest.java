package {{package}};

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {

  @Test
  void addsTheOriginToTheTasksOwnLabels() throws Exception {
    Label own = Label.newBuilder().setKey("team").setValue("data").build();
    TaskInfo task =
        TaskInfo.newBuilder()
            .setName("task")
            .setTaskId(TaskID.newBuilder().setValue("task"))
            .setAgentId(AgentID.newBuilder().setValue("agent"))
            .setLabels(Labels.newBuilder().addLabels(own))
            .build();

    {{class}} hook = new {{class}}();
    hook.open(FakeDaemonContext.master());
    Labels labels =
        hook.masterLaunchTaskLabels(
            task,
            FrameworkInfo.newBuilder().setUser("me").setName("batch").build(),
            AgentInfo.newBuilder().setHostname("host1").build());

    assertThat(labels.getLabelsList())
        .containsExactly(own, Label.newBuilder().setKey("{{name}}").setValue("batch@host1").build());
  }
}
