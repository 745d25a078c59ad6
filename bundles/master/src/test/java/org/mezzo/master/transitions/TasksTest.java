package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.FrameworkMessage;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.OperationID;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

class TasksTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:4");
  private final String framework = given.partitionAware("r");

  private static AgentID agentId(String id) {
    return AgentID.newBuilder().setValue(id).build();
  }

  private Given kill(Call.Kill.Builder call) {
    return given.run(tx -> Tasks.kill(tx, framework, call.build()));
  }

  private static Call.Kill.Builder killing(String taskId) {
    return Call.Kill.newBuilder().setTaskId(Given.id(taskId));
  }

  private Given reconcile(Call.Reconcile.Task... tasks) {
    return given.run(tx -> Tasks.reconcile(tx, framework, List.of(tasks)));
  }

  private static Call.Reconcile.Task asking(String taskId, String agentId) {
    return Call.Reconcile.Task.newBuilder()
        .setTaskId(Given.id(taskId))
        .setAgentId(agentId(agentId))
        .build();
  }

  private static Call.Reconcile.Task asking(String taskId) {
    return Call.Reconcile.Task.newBuilder().setTaskId(Given.id(taskId)).build();
  }

  private void assertAnswer(TaskState state, String message) {
    TaskStatus status = given.update(framework);
    assertThat(status.getState()).isEqualTo(state);
    assertThat(status.getMessage()).isEqualTo("Reconciliation: " + message);
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
    assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_RECONCILIATION);
    assertThat(status.hasUuid()).isFalse();
  }

  /** Rules 118 and 119. */
  @Test
  void aKillGoesToTheAgentWithItsPolicy() {
    given.running(framework, agent, "t", "cpus:1");
    KillPolicy policy =
        KillPolicy.newBuilder().setGracePeriod(DurationInfo.newBuilder().setNanoseconds(7)).build();
    kill(killing("t").setKillPolicy(policy));
    assertThat(given.toldAgent(agent))
        .singleElement()
        .satisfies(event -> assertThat(event.getKillTask().getKillPolicy()).isEqualTo(policy));
    assertThat(given.task(framework, "t").killRequested()).isTrue();
  }

  /** Rule 118. */
  @Test
  void aKillIsRememberedWhileTheAgentIsAway() {
    String keeping = given.subscribed(Given.info("r").setCheckpoint(true));
    given.running(keeping, agent, "t", "cpus:1");
    given.run(tx -> Disconnections.disconnected(tx, agent));
    given.run(tx -> Tasks.kill(tx, keeping, killing("t").build()));
    assertThat(given.toldAgent(agent)).isEmpty();
    assertThat(given.task(keeping, "t").killRequested()).isTrue();
  }

  /** Rules 116 and 117. */
  @Test
  void aKillOfAnUnknownTaskIsAnsweredAndOneForAnotherAgentIgnored() {
    kill(killing("x"));
    assertAnswer(TaskState.TASK_UNKNOWN, "Task is unknown");
    kill(killing("x").setAgentId(agentId(agent)));
    assertAnswer(TaskState.TASK_GONE, "Task is unknown to the agent");
    given.running(framework, agent, "t", "cpus:1");
    kill(killing("t").setAgentId(agentId("other")));
    assertThat(given.effects()).isEmpty();
    assertThat(given.task(framework, "t").killRequested()).isFalse();
  }

  /** Rule 120. */
  @Test
  void aShutdownGoesToTheAgentWhetherTheExecutorExistsOrNot() {
    Call.Shutdown.Builder call =
        Call.Shutdown.newBuilder().setExecutorId(ExecutorID.newBuilder().setValue("e"));
    given.run(tx -> Tasks.shutdown(tx, framework, call.setAgentId(agentId(agent)).build()));
    assertThat(given.toldAgent(agent)).hasSize(1).allMatch(MasterEvent::hasShutdownExecutor);
    given.run(tx -> Tasks.shutdown(tx, framework, call.setAgentId(agentId("x")).build()));
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 50. */
  @Test
  void messagesAreDeliveredAtBestOnce() {
    ByteString data = ByteString.copyFromUtf8("hello");
    Call.Message.Builder down =
        Call.Message.newBuilder()
            .setAgentId(agentId(agent))
            .setExecutorId(ExecutorID.newBuilder().setValue("e"))
            .setData(data);
    given.run(tx -> Tasks.message(tx, framework, down.build()));
    assertThat(given.toldAgent(agent).get(0).getFrameworkMessage().getData()).isEqualTo(data);
    given.run(tx -> Tasks.message(tx, framework, down.setAgentId(agentId("x")).build()));
    assertThat(given.effects()).isEmpty();
    assertThat(given.counted()).containsExactly("master/invalid_framework_to_executor_messages");

    FrameworkMessage up =
        FrameworkMessage.newBuilder()
            .setFrameworkId(FrameworkID.newBuilder().setValue(framework))
            .setExecutorId(ExecutorID.newBuilder().setValue("e"))
            .setData(data)
            .build();
    given.run(tx -> Tasks.executorMessage(tx, agent, up));
    assertThat(given.sentTo(framework).get(0).getMessage().getData()).isEqualTo(data);
    given.disconnect(framework);
    given.run(tx -> Tasks.executorMessage(tx, agent, up));
    assertThat(given.effects()).isEmpty();
    assertThat(given.counted()).contains("master/invalid_executor_to_framework_messages");
  }

  /** Rules 104, 123 and 126. */
  @Test
  void implicitReconciliationTellsOfActiveTasksWhatWasSentLast() {
    Task running = given.running(framework, agent, "a", "cpus:1");
    given.launched(framework, agent, "b", "cpus:1");
    Task done = given.running(framework, agent, "c", "cpus:1");
    given.updated(done, TaskState.TASK_FINISHED).acknowledge(done, TaskState.TASK_FINISHED);
    given.run(
        tx ->
            Statuses.update(
                tx,
                agent,
                Given.saying(running, TaskState.TASK_RUNNING)
                    .setLatestState(TaskState.TASK_FINISHED)
                    .build()));
    reconcile();
    assertThat(given.updates(framework))
        .allMatch(it -> it.getMessage().equals("Reconciliation: Latest task state"))
        .extracting(it -> it.getTaskId().getValue() + " " + it.getState())
        .containsExactlyInAnyOrder("a TASK_RUNNING", "b TASK_STAGING");
  }

  /** Rules 124, 125 and 127, in their order. */
  @Test
  void explicitReconciliationAnswersWithTheFirstThatHolds() {
    given.running(framework, agent, "t", "cpus:1");
    reconcile(asking("t", "whatever"));
    assertAnswer(TaskState.TASK_RUNNING, "Latest task state");
    reconcile(asking("x", agent));
    assertAnswer(TaskState.TASK_GONE, "Task is unknown to the agent");
    reconcile(asking("x", "stranger"));
    assertAnswer(TaskState.TASK_UNKNOWN, "Task is unknown");
    reconcile(asking("x"));
    assertAnswer(TaskState.TASK_UNKNOWN, "Task is unknown");

    given.unreachable(agent);
    reconcile(asking("t", agent));
    assertAnswer(TaskState.TASK_UNREACHABLE, "Task is unreachable");
    assertThat(given.update(framework).getUnreachableTime().getNanoseconds())
        .isEqualTo(AgentRegistry.nanos(given.now()));
    reconcile(asking("t"));
    assertAnswer(TaskState.TASK_UNKNOWN, "Task is unknown");

    given.run(
        tx -> tx.become(tx.state().withGoneAgents(tx.state().goneAgents().plus("g", tx.now()))));
    reconcile(asking("x", "g"));
    assertAnswer(TaskState.TASK_GONE_BY_OPERATOR, "Task is gone");

    given.run(
        tx ->
            tx.become(
                tx.state()
                    .withRecoveredAgents(
                        tx.state()
                            .recoveredAgents()
                            .plus(
                                "back?",
                                new RecoveredAgent(
                                    "back?", AgentInfo.getDefaultInstance(), Standing.OPEN)))));
    reconcile(asking("x", "back?"), asking("x"));
    assertThat(given.sentTo(framework)).isEmpty();
    reconcile(asking("x", "g"));
    assertAnswer(TaskState.TASK_GONE_BY_OPERATOR, "Task is gone");
  }

  /** Rule 95. */
  @Test
  void whoDoesNotKnowPartitionsHearsOfLostTasks() {
    String simple = given.subscribed("r");
    given.run(tx -> Tasks.reconcile(tx, simple, List.of(asking("x", agent), asking("x", "s"))));
    assertThat(given.updates(simple))
        .extracting(TaskStatus::getState)
        .containsExactly(TaskState.TASK_LOST, TaskState.TASK_LOST);
  }

  @Test
  void tasksThatWaitToBeLaunchedAreStaging() {
    given.settings(it -> it.consulting(true));
    given.accept(
        framework,
        List.of(given.offer(framework, agent, "cpus:1")),
        Given.launching(given.command("t", agent, "cpus:1")));
    reconcile();
    assertAnswer(TaskState.TASK_STAGING, "Latest task state");
    reconcile(asking("t"));
    assertAnswer(TaskState.TASK_STAGING, "Latest task state");
  }

  /** Rule 129. */
  @Test
  void operationsAreNotKnownAndAnsweredByTheirAgents() {
    String lost = given.agentOn(2, "cpus:1");
    given.unreachable(lost);
    List<Call.ReconcileOperations.Operation> asked = new ArrayList<>();
    for (String id : List.of(agent, lost, "stranger")) {
      asked.add(
          Call.ReconcileOperations.Operation.newBuilder()
              .setOperationId(OperationID.newBuilder().setValue("o"))
              .setAgentId(agentId(id))
              .build());
    }
    given.run(tx -> AgentOperations.reconcile(tx, framework, asked));
    assertThat(given.typesTo(framework)).containsOnly(Event.Type.UPDATE_OPERATION_STATUS);
    assertThat(given.sentTo(framework))
        .extracting(event -> event.getUpdateOperationStatus().getStatus().getState())
        .containsExactly(
            OperationState.OPERATION_UNKNOWN,
            OperationState.OPERATION_UNREACHABLE,
            OperationState.OPERATION_UNKNOWN);
  }
}
