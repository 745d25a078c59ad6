package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.RunTask;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.OperationID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

class LaunchesTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:100;mem:1000");
  private final String framework = given.partitionAware("r");

  private org.mezzo.master.ledger.Offer offer(String resources) {
    return given.offer(framework, agent, resources);
  }

  private Given launch(org.mezzo.master.ledger.Offer offer, TaskInfo.Builder... tasks) {
    return given.accept(framework, List.of(offer), Given.launching(tasks));
  }

  private TaskInfo.Builder command(String id, String resources) {
    return given.command(id, agent, resources);
  }

  private TaskInfo.Builder custom(String id, String executorId) {
    return command(id, "cpus:1")
        .clearCommand()
        .setExecutor(
            ExecutorInfo.newBuilder()
                .setType(ExecutorInfo.Type.CUSTOM)
                .setExecutorId(ExecutorID.newBuilder().setValue(executorId))
                .setCommand(CommandInfo.newBuilder().setValue("run"))
                .addAllResources(
                    Given.resources("cpus:1").toMessages(Resources.Format.POST_REFINEMENT)));
  }

  private void assertFailed(TaskState state, TaskStatus.Reason reason, String message) {
    TaskStatus status = given.update(framework);
    assertThat(status.getState()).isEqualTo(state);
    assertThat(status.getReason()).isEqualTo(reason);
    assertThat(status.getMessage()).contains(message);
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
    assertThat(status.hasUuid()).isFalse();
  }

  /** Rules 67, 92 and 93. */
  @Test
  void aTaskIsStagingAndItsAgentRunsIt() {
    launch(offer("cpus:3"), command("t", "cpus:1"));
    Task task = given.task(framework, "t");
    assertThat(task.state()).isEqualTo(TaskState.TASK_STAGING);
    assertThat(task.resources()).isEqualTo(Given.resources("cpus:1").allocatedTo("r"));
    assertThat(given.sentTo(framework)).isEmpty();
    RunTask run = given.toldAgent(agent).get(0).getRunTask();
    assertThat(run.getLaunchExecutor()).isTrue();
    assertThat(run.getResourceVersionUuid()).isEqualTo("version-1");
    assertThat(run.getTasks(0).getResources(0).getAllocationInfo().getRole()).isEqualTo("r");
    assertThat(given.happenings()).containsExactly(new Happening.TaskAdded(task));
    assertThat(given.account(agent).free().scalar("cpus")).isEqualTo(99_000);
  }

  /** Rule 59: five seconds when nothing is said. */
  @Test
  void whatIsNotUsedIsReturnedWithItsFilters() {
    given.accept(framework, List.of(offer("cpus:3")));
    assertThat(given.toldAllocator()).containsExactlyInAnyOrder("released", "filterAdded");
    assertThat(given.filters(framework)).hasSize(1);
    assertThat(given.filters(framework).get(0).expires())
        .isEqualTo(given.now().plus(Duration.ofSeconds(5)));

    var offer = offer("cpus:3");
    given.accept(
        framework,
        Call.Accept.newBuilder()
            .addOfferIds(offer.message().getId())
            .addOperations(Given.launching(command("t", "cpus:1")))
            .setFilters(Given.refuse(0))
            .build());
    assertThat(given.toldAllocator()).containsExactly("released");
    assertThat(given.ledger().totalAllocatedTo(framework).scalar("cpus")).isEqualTo(1000);
  }

  /** Rule 60. */
  @Test
  void offersOfOneAgentAreSummed() {
    given.accept(
        framework,
        List.of(offer("cpus:1"), offer("cpus:1")),
        Given.launching(command("t", "cpus:2")));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("t");
  }

  /** Rules 60 and 61. */
  @Test
  void whatIsWrongWithOffersDropsEveryTaskAndGivesTheValidOnesBack() {
    String other = given.subscribed("r");
    String agent2 = given.agentOn(2, "cpus:4");
    String wide = given.subscribed("r", "q");
    var own = offer("cpus:1");
    var foreign = given.offer(other, agent, "cpus:1");
    given.accept(framework, List.of(own, foreign), Given.launching(command("t", "cpus:1")));
    assertFailed(
        TaskState.TASK_DROPPED,
        TaskStatus.Reason.REASON_INVALID_OFFERS,
        "Task launched with invalid offers: Offer " + foreign.id() + " has invalid framework");
    assertThat(given.toldAllocator()).containsExactly("released");
    assertThat(given.state().offers()).containsOnlyKeys(foreign.id());
    assertThat(given.counted()).contains("master/invalid_accept_calls", "master/tasks_dropped");

    given.accept(framework, List.of(own), Given.launching(command("t", "cpus:1")));
    assertFailed(
        TaskState.TASK_DROPPED, TaskStatus.Reason.REASON_INVALID_OFFERS, "is no longer valid");
    var again = offer("cpus:1");
    given.accept(framework, List.of(again, again), Given.launching(command("t", "cpus:1")));
    assertFailed(
        TaskState.TASK_DROPPED, TaskStatus.Reason.REASON_INVALID_OFFERS, "Duplicate offer");
    given.accept(
        framework,
        List.of(offer("cpus:1"), given.offer(framework, agent2, "cpus:1")),
        Given.launching(command("t", "cpus:1")));
    assertFailed(
        TaskState.TASK_DROPPED,
        TaskStatus.Reason.REASON_INVALID_OFFERS,
        "must belong to one single agent");
    given.accept(framework, List.of(), Given.launching(command("t", "cpus:1")));
    assertFailed(
        TaskState.TASK_DROPPED, TaskStatus.Reason.REASON_INVALID_OFFERS, "No offers specified");
    given.accept(
        wide,
        List.of(given.offer(wide, "r", agent, "cpus:1"), given.offer(wide, "q", agent, "cpus:1")),
        Given.launching(command("t", "cpus:1")));
    assertThat(given.update(wide).getState()).isEqualTo(TaskState.TASK_LOST);
    assertThat(given.update(wide).getMessage()).contains("must be allocated to the same role");
    assertThat(given.ledger().offersTo(framework)).isEmpty();
  }

  /** Rules 61 and 62. */
  @Test
  void operationsWithAnIdAreAnsweredAndTheNextOneGoesOn() {
    Operation reserve =
        Operation.newBuilder()
            .setType(Operation.Type.RESERVE)
            .setId(OperationID.newBuilder().setValue("o"))
            .build();
    given.accept(
        framework, List.of(offer("cpus:1")), reserve, Given.launching(command("t", "cpus:1")));
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.UPDATE_OPERATION_STATUS);
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("t");
    given.accept(
        framework,
        Call.Accept.newBuilder()
            .addOfferIds(OfferID.newBuilder().setValue("x"))
            .addOperations(reserve)
            .build());
    assertThat(given.sentTo(framework).get(0).getUpdateOperationStatus().getStatus().getMessage())
        .startsWith("Operation attempted with invalid offers: ");
  }

  /** Rule 63. */
  @Test
  void launchesHaveNoOperationId() {
    OperationID id = OperationID.newBuilder().setValue("o").build();
    given.accept(
        framework,
        List.of(offer("cpus:1")),
        Given.launching(command("t", "cpus:1")).toBuilder().setId(id).build());
    assertFailed(TaskState.TASK_ERROR, TaskStatus.Reason.REASON_TASK_INVALID, "LAUNCH operations");
  }

  /** Rules 72, 75, 76 and 86: each task by itself. */
  @Test
  void aTaskThatIsNotValidDoesNotHinderTheOthers() {
    given.launched(framework, agent, "old", "cpus:1");
    launch(
        offer("cpus:2"),
        command("old", "cpus:1"),
        command("t", "cpus:1").setAgentId(given.agent(given.agentOn(2, "cpus:1")).info().getId()),
        command("big", "cpus:3"),
        command("", "cpus:1"),
        command("good", "cpus:2"),
        command("late", "cpus:1"));
    assertThat(given.updates(framework))
        .extracting(status -> status.getTaskId().getValue())
        .containsExactly("old", "t", "big", "", "late");
    assertThat(given.updates(framework))
        .allMatch(it -> it.getReason() == TaskStatus.Reason.REASON_TASK_INVALID)
        .extracting(TaskStatus::getMessage)
        .satisfiesExactly(
            it -> assertThat(it).isEqualTo("Task has duplicate ID: old"),
            it -> assertThat(it).startsWith("Task uses invalid agent"),
            it -> assertThat(it).startsWith("Total resources").contains("more than available"),
            it -> assertThat(it).isEqualTo("ID must not be empty"),
            it -> assertThat(it).startsWith("Total resources"));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("old", "good");
  }

  /** Rules 75 and 101: the id of a completed task may come again. */
  @Test
  void aCompletedTasksIdMayComeAgain() {
    Task task = given.running(framework, agent, "t", "cpus:1");
    given.updated(task, TaskState.TASK_FINISHED).acknowledge(task, TaskState.TASK_FINISHED);
    launch(offer("cpus:1"), command("t", "cpus:1"));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("t");
  }

  /** Rules 85 and 93: an executor is charged for once and has to stay what it is. */
  @Test
  void tasksShareTheirExecutor() {
    launch(offer("cpus:4"), custom("a", "e"), custom("b", "e"));
    assertThat(given.ledger().totalAllocatedTo(framework).scalar("cpus")).isEqualTo(3000);
    assertThat(given.agent(agent).executorsOf(framework)).containsOnlyKeys("e");
    assertThat(given.toldAgent(agent))
        .extracting(it -> it.getRunTask().getLaunchExecutor())
        .containsExactly(true, false);
    TaskInfo.Builder other = custom("c", "e");
    other.getExecutorBuilder().setName("another");
    launch(offer("cpus:4"), other);
    assertFailed(
        TaskState.TASK_ERROR, TaskStatus.Reason.REASON_TASK_INVALID, "is not compatible with");
  }

  /** Rule 86. */
  @Test
  void aTaskAndItsExecutorDoNotWantTheSamePort() {
    TaskInfo.Builder task = custom("a", "e");
    List<org.mezzo.protocol.v1.Resource> ports =
        Given.resources("ports:[1-2]").toMessages(Resources.Format.POST_REFINEMENT);
    task.addAllResources(ports).getExecutorBuilder().addAllResources(ports);
    launch(offer("cpus:4"), task);
    assertFailed(
        TaskState.TASK_ERROR, TaskStatus.Reason.REASON_TASK_INVALID, "use overlapping resources");
  }

  /** Agents report executors as they were sent: with resources that are allocated to a role. */
  @Test
  void anExecutorThatItsAgentReportedIsTheOneThatItsFrameworkMeans() {
    launch(offer("cpus:4"), custom("a", "e"));
    ExecutorInfo sent =
        given.toldAgent(agent).get(0).getRunTask().getTasks(0).getExecutor().toBuilder().build();
    Executor known = given.agent(agent).executorsOf(framework).get("e");
    given.run(
        tx ->
            Holdings.add(
                tx,
                new Executor(
                    known.id(), known.frameworkId(), known.agentId(), sent, known.resources())));
    launch(offer("cpus:4"), custom("b", "e"));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("a", "b");
    assertThat(given.toldAgent(agent).get(0).getRunTask().getLaunchExecutor()).isFalse();
  }

  /** Rule 66. */
  @Test
  void anAgentThatLeftWhileOthersWereAskedDropsTheTasks() {
    given.settings(it -> it.consulting(true));
    launch(offer("cpus:1"), command("t", "cpus:1"));
    assertThat(given.state().pendingTasks()).hasSize(1);
    Consultation asked = given.only(Effect.Consult.class).consultation();
    given.run(tx -> Disconnections.disconnected(tx, agent));
    given.run(tx -> asked.then().apply(tx, Consultation.Answer.NONE));
    assertFailed(
        TaskState.TASK_DROPPED, TaskStatus.Reason.REASON_AGENT_DISCONNECTED, "Agent disconnected");
    assertThat(given.state().pendingTasks()).isEmpty();
    assertThat(given.toldAllocator()).contains("released");

    String second = given.agentOn(2, "cpus:4");
    given.accept(
        framework,
        List.of(given.offer(framework, second, "cpus:1")),
        Given.launching(given.command("t", second, "cpus:1")));
    Consultation again = given.only(Effect.Consult.class).consultation();
    given.unreachable(second);
    given.run(tx -> again.then().apply(tx, Consultation.Answer.NONE));
    assertFailed(TaskState.TASK_DROPPED, TaskStatus.Reason.REASON_AGENT_REMOVED, "Agent removed");
  }

  @Test
  void aFrameworkThatLeftWhileOthersWereAskedLaunchesNothing() {
    given.settings(it -> it.consulting(true));
    launch(offer("cpus:1"), command("t", "cpus:1"));
    Consultation asked = given.only(Effect.Consult.class).consultation();
    given.run(tx -> Frameworks.remove(tx, tx.framework(framework)));
    given.run(tx -> asked.then().apply(tx, Consultation.Answer.NONE));
    assertThat(given.effects()).isEmpty();
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
  }

  /** Rule 72. */
  @Test
  void whatHooksAndAuthorizerSayCounts() {
    given.settings(it -> it.consulting(true));
    launch(offer("cpus:3"), command("no", "cpus:1"), command("yes", "cpus:1"));
    Labels labels = Labels.newBuilder().addLabels(Label.newBuilder().setKey("k")).build();
    given.answered(
        new Consultation.Answer(Set.of("no"), Set.of(), Map.of("yes", labels), Map.of()));
    assertFailed(
        TaskState.TASK_ERROR,
        TaskStatus.Reason.REASON_TASK_UNAUTHORIZED,
        "Not authorized to launch as user 'u'");
    assertThat(given.toldAgent(agent).get(0).getRunTask().getTasks(0).getLabels())
        .isEqualTo(labels);
    assertThat(given.task(framework, "yes").message().getLabels()).isEqualTo(labels);
  }

  /** As if the framework had asked for them. */
  @Test
  void whatHooksGiveIsChargedInsteadOfWhatWasAskedFor() {
    given.settings(it -> it.consulting(true));
    launch(offer("cpus:3;mem:30"), command("t", "cpus:1"), command("same", "cpus:1"));
    given.answered(giving("t", "cpus:0.5;mem:10"));
    assertThat(given.task(framework, "t").resources())
        .isEqualTo(Given.resources("cpus:0.5;mem:10").allocatedTo("r"));
    assertThat(given.task(framework, "same").resources())
        .isEqualTo(Given.resources("cpus:1").allocatedTo("r"));
    assertThat(given.ledger().totalAllocatedTo(framework))
        .isEqualTo(Given.resources("cpus:1.5;mem:10").allocatedTo("r"));
    RunTask run = given.toldAgent(agent).get(0).getRunTask();
    assertThat(run.getTasks(0).getResourcesList())
        .isEqualTo(
            Given.resources("cpus:0.5;mem:10")
                .allocatedTo("r")
                .toMessages(Resources.Format.POST_REFINEMENT));
    assertThat(given.state().pendingTasks()).isEmpty();
  }

  @Test
  void whatHooksGiveAndWasNotOfferedIsRefused() {
    given.settings(it -> it.consulting(true));
    launch(offer("cpus:3"), command("t", "cpus:1"));
    given.answered(giving("t", "cpus:1;mem:10"));
    assertFailed(
        TaskState.TASK_ERROR,
        TaskStatus.Reason.REASON_TASK_INVALID,
        "required by task and its executor is more than available");
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
  }

  private static Consultation.Answer giving(String task, String resources) {
    return new Consultation.Answer(
        Set.of(),
        Set.of(),
        Map.of(),
        Map.of(task, Given.resources(resources).toMessages(Resources.Format.POST_REFINEMENT)));
  }

  @Test
  void aKillWhileOthersAreAskedComesBeforeTheAgent() {
    given.settings(it -> it.consulting(true));
    launch(offer("cpus:1"), command("t", "cpus:1"));
    Consultation asked = given.only(Effect.Consult.class).consultation();
    given.run(
        tx -> Tasks.kill(tx, framework, Call.Kill.newBuilder().setTaskId(Given.id("t")).build()));
    assertThat(given.effects()).isEmpty();
    given.run(tx -> asked.then().apply(tx, Consultation.Answer.NONE));
    assertFailed(
        TaskState.TASK_KILLED,
        TaskStatus.Reason.REASON_TASK_KILLED_DURING_LAUNCH,
        "Killed before delivery to the agent");
    assertThat(given.toldAgent(agent)).isEmpty();
  }

  @Test
  void manyTasksAreLaunchedInSeveralTurns() {
    List<TaskInfo.Builder> tasks = new ArrayList<>();
    for (int i = 0; i < 70; i++) {
      tasks.add(command("t" + i, "cpus:1"));
    }
    launch(offer("cpus:71"), tasks.toArray(TaskInfo.Builder[]::new));
    assertThat(given.framework(framework).tasks()).hasSize(50);
    assertThat(given.state().pendingTasks()).hasSize(20);
    assertThat(given.toldAllocator()).isEmpty();
    given.next();
    assertThat(given.framework(framework).tasks()).hasSize(70);
    assertThat(given.state().pendingTasks()).isEmpty();
    assertThat(given.toldAllocator()).contains("released", "filterAdded");
    assertThat(given.ledger().totalAllocatedTo(framework).scalar("cpus")).isEqualTo(70_000);
  }
}
