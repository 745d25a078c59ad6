package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Reregister;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.resources.Resources;

class ReportedTasksTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:8");
  private final String framework =
      given.subscribed(
          Given.info("r")
              .setCheckpoint(true)
              .addCapabilities(Given.can(FrameworkInfo.Capability.Type.PARTITION_AWARE)));

  private static Reregister.Builder with(Reregister.Builder message, Task task, TaskState state) {
    message.addTasksBuilder().setTask(task.message().toBuilder().setState(state));
    return message;
  }

  private Reregister.Builder back() {
    return given.reregistering(agent).addFrameworks(given.framework(framework).info());
  }

  /** Rules 131 and 147. */
  @Test
  void theAgentIsAskedForWhatItDidNotReport() {
    Task reported = given.running(framework, agent, "a", "cpus:1");
    given.running(framework, agent, "b", "cpus:1");
    given.reregister(with(back(), reported, TaskState.TASK_RUNNING));
    assertThat(given.toldAgent(agent))
        .filteredOn(MasterEvent::hasReconcileTasks)
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.getReconcileTasks().getTaskIdsList()).containsExactly(Given.id("b"));
              assertThat(event.getReconcileTasks().getPartitionAware()).isTrue();
            });
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("a", "b");
  }

  /** An agent that has lost an end nobody has acknowledged is not to make another. */
  @Test
  void theAgentIsToldHowATaskEndedThatItHasForgotten() {
    Task task = given.running(framework, agent, "a", "cpus:1");
    given.running(framework, agent, "b", "cpus:1");
    given.updated(task, TaskState.TASK_FINISHED);
    given.reregister(back());
    assertThat(given.toldAgent(agent))
        .filteredOn(MasterEvent::hasReconcileTasks)
        .singleElement()
        .satisfies(
            event ->
                assertThat(event.getReconcileTasks().getEndedList())
                    .extracting(TaskStatus::getTaskId, TaskStatus::getUuid)
                    .containsExactly(tuple(Given.id("a"), Given.uuid(TaskState.TASK_FINISHED))));
  }

  /** Rule 118. */
  @Test
  void aKillThatWaitedIsSentUnlessTheTaskHasEnded() {
    Task running = given.running(framework, agent, "a", "cpus:1");
    Task ended = given.running(framework, agent, "b", "cpus:1");
    given.run(tx -> Disconnections.disconnected(tx, agent));
    for (String task : new String[] {"a", "b"}) {
      Call.Kill kill = Call.Kill.newBuilder().setTaskId(Given.id(task)).build();
      given.run(tx -> Tasks.kill(tx, framework, kill));
    }
    given.reregister(
        with(with(back(), running, TaskState.TASK_RUNNING), ended, TaskState.TASK_FINISHED));
    assertThat(given.toldAgent(agent))
        .filteredOn(MasterEvent::hasKillTask)
        .extracting(event -> event.getKillTask().getTaskId().getValue())
        .containsExactly("a");
  }

  /** Rule 146: with its real state, and nothing is killed. */
  @Test
  void aTaskBackFromUnreachableHasItsStateAgain() {
    Task task = given.running(framework, agent, "a", "cpus:1");
    Reregister.Builder message = with(back(), task, TaskState.TASK_RUNNING);
    given.unreachable(agent);
    assertThat(given.framework(framework).unreachableTasks()).containsOnlyKeys("a");
    given.reregister(message).stored();
    TaskStatus status = given.update(framework);
    assertThat(status.getState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_REREGISTERED);
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
    assertThat(status.hasUuid()).isFalse();
    assertThat(given.framework(framework).unreachableTasks()).isEmpty();
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("a");
    assertThat(given.toldAgent(agent)).noneMatch(MasterEvent::hasKillTask);
    assertThat(given.account(agent).free().scalar("cpus")).isEqualTo(7000);
    // The allocator hears of what is used together with the agent.
    assertThat(given.toldAllocator()).containsExactly("agentAdded");
  }

  /** Rule 142: what became lost on an agent that was only disconnected is ended. */
  @Test
  void aTaskThatIsLostForItsFrameworkIsKilled() {
    String forgetful = given.subscribed("r");
    Task task = given.running(forgetful, agent, "a", "cpus:1");
    given.run(tx -> Disconnections.disconnected(tx, agent));
    given.reregister(
        with(
            given.reregistering(agent).addFrameworks(given.framework(forgetful).info()),
            task,
            TaskState.TASK_RUNNING));
    assertThat(given.toldAgent(agent)).filteredOn(MasterEvent::hasKillTask).hasSize(1);
    assertThat(given.framework(forgetful).tasks()).isEmpty();
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
  }

  /** Rule 148. */
  @Test
  void frameworksTheMasterDoesNotKnowAreRecoveredWithTheirTasksAndExecutors() {
    Task task = given.running(framework, agent, "a", "cpus:1");
    FrameworkInfo strange =
        given.framework(framework).info().toBuilder()
            .setId(FrameworkID.newBuilder().setValue("other"))
            .build();
    var message =
        task.message().toBuilder()
            .setFrameworkId(strange.getId())
            .clearResources()
            .addAllResources(held("cpus:2"))
            .build();
    Reregister.Builder back = given.reregistering(agent).addFrameworks(strange);
    back.addTasksBuilder().setTask(message).setStatusUpdateState(TaskState.TASK_RUNNING);
    back.addExecutorsBuilder()
        .setFrameworkId(strange.getId())
        .setExecutor(
            ExecutorInfo.newBuilder()
                .setExecutorId(ExecutorID.newBuilder().setValue("e"))
                .setCommand(CommandInfo.newBuilder().setValue("x"))
                .addAllResources(held("cpus:1")));
    given.reregister(back);
    Framework recovered = given.framework("other");
    assertThat(recovered.phase()).isEqualTo(Framework.Phase.RECOVERED);
    assertThat(recovered.tasks()).containsOnlyKeys("a");
    assertThat(given.ledger().totalAllocatedTo(recovered.id()).scalar("cpus")).isEqualTo(3000);
    assertThat(given.effects(Effect.After.class)).isEmpty();
    assertThat(given.toldAllocator()).contains("frameworkAdded", "allocated");
    assertThat(given.happenings())
        .hasAtLeastOneElementOfType(Happening.FrameworkAdded.class)
        .hasAtLeastOneElementOfType(Happening.TaskAdded.class);
  }

  private static Iterable<Resource> held(String text) {
    return Given.resources(text).allocatedTo("r").toMessages(Resources.Format.POST_REFINEMENT);
  }

  /** Rule 146. */
  @Test
  void frameworksThatWereRemovedAreEndedByTheAgent() {
    Task task = given.running(framework, agent, "a", "cpus:1");
    Reregister.Builder back = with(back(), task, TaskState.TASK_RUNNING);
    given.run(tx -> Frameworks.remove(tx, tx.framework(framework)));
    given.reregister(back);
    assertThat(given.toldAgent(agent)).filteredOn(MasterEvent::hasShutdownFramework).hasSize(1);
    assertThat(given.agent(agent).tasks()).isEmpty();
  }
}
