package org.mezzo.agent.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Resources;

class FittingTest {
  private static final FrameworkID FRAMEWORK = FrameworkID.newBuilder().setValue("f").build();

  private final List<ExecutorEntry> executors = new ArrayList<>();
  private final List<TaskEntry> tasks = new ArrayList<>();

  private static Resources resources(String text) throws Exception {
    return Resources.parse(text, "*");
  }

  private void executor(String id, String own) throws Exception {
    ExecutorEntry.Builder entry = ExecutorEntry.newBuilder().setFrameworkId(FRAMEWORK);
    entry
        .getExecutorBuilder()
        .addAllResources(resources(own).toMessages(Resources.Format.POST_REFINEMENT))
        .getExecutorIdBuilder()
        .setValue(id);
    entry.getContainerIdBuilder().setValue("c-" + id);
    executors.add(entry.build());
  }

  private void task(String executor, String id, String held, double since, TaskState state)
      throws Exception {
    TaskEntry.Builder entry = TaskEntry.newBuilder().setFrameworkId(FRAMEWORK);
    entry.getExecutorIdBuilder().setValue(executor);
    entry
        .getInfoBuilder()
        .setName(id)
        .addAllResources(
            resources(held).allocatedTo("r").toMessages(Resources.Format.POST_REFINEMENT));
    entry.getInfoBuilder().getTaskIdBuilder().setValue(id);
    entry.getInfoBuilder().getAgentIdBuilder().setValue("a");
    entry.getTaskBuilder().setName(id).setTaskId(entry.getInfo().getTaskId()).setState(state);
    entry.getTaskBuilder().setFrameworkId(FRAMEWORK).setAgentId(entry.getInfo().getAgentId());
    entry
        .getTaskBuilder()
        .addStatusesBuilder()
        .setTaskId(entry.getInfo().getTaskId())
        .setState(state)
        .setTimestamp(since);
    tasks.add(entry.build());
  }

  private Map<String, String> misfits(String total) throws Exception {
    return Fitting.misfits(
        new Journal.Kept(List.of(), executors, tasks, List.of(), List.of(), List.of()),
        resources(total));
  }

  @Test
  void whatRanLongestStaysAndTheOthersAreNamedWithTheirReason() throws Exception {
    executor("old", "cpus:0.5");
    task("old", "t1", "cpus:1", 100, TaskState.TASK_RUNNING);
    executor("young", "cpus:0.5");
    task("young", "t2", "cpus:1", 300, TaskState.TASK_RUNNING);
    executor("middle", "cpus:0.1");
    task("middle", "t3", "cpus:0.1", 200, TaskState.TASK_RUNNING);
    assertThat(misfits("cpus:4;mem:1")).isEmpty();
    assertThat(misfits("cpus:2;mem:1")).containsOnlyKeys("c-young");
    assertThat(misfits("cpus:2;mem:1").get("c-young"))
        .contains("cpus:1.5")
        .contains("no room")
        .contains("cpus:0.3");
    // What comes later may fit where something before it does not.
    assertThat(misfits("cpus:1;mem:1")).containsOnlyKeys("c-old", "c-young");
  }

  @Test
  void whatHasEndedHoldsNothing() throws Exception {
    executor("e", "cpus:0.5");
    task("e", "t1", "cpus:3", 1, TaskState.TASK_FINISHED);
    task("e", "t2", "cpus:0.5", 2, TaskState.TASK_RUNNING);
    assertThat(misfits("cpus:1")).isEmpty();
    assertThat(misfits("cpus:0.9")).hasSize(1);
  }
}
