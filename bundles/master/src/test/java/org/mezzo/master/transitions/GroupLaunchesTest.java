package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.ExecutorExited;
import org.mezzo.link.messages.RunTask;
import org.mezzo.master.ledger.Offer;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.LinuxInfo;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.OperationID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.resources.Resources;

/** Rules 90 and 91. */
class GroupLaunchesTest {
  private static final String PLENTY = "cpus:10;mem:500;disk:100;ports:[1-9]";

  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:100;mem:1000;disk:1000;ports:[1-9]");
  private final String framework = given.partitionAware("r");
  private final ExecutorInfo.Builder executor = Given.executor(framework, "e");

  private Offer offer() {
    return given.offer(framework, agent, PLENTY);
  }

  private TaskInfo.Builder task(String id) {
    return given.command(id, agent, "cpus:1;mem:8");
  }

  private Given launch(TaskInfo.Builder... tasks) {
    return given.accept(framework, List.of(offer()), Given.grouping(executor, tasks));
  }

  private void assertRefused(Reason reason, String message, String... tasks) {
    assertThat(given.updates(framework))
        .extracting(status -> status.getTaskId().getValue())
        .containsExactly(tasks);
    assertThat(given.updates(framework))
        .allSatisfy(
            status -> {
              assertThat(status.getState()).isEqualTo(TaskState.TASK_ERROR);
              assertThat(status.getReason()).isEqualTo(reason);
              assertThat(status.getMessage()).isEqualTo(message);
              assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
            });
    assertNothingLeft();
  }

  private void assertNothingLeft() {
    assertThat(given.toldAgent(agent)).isEmpty();
    assertThat(given.framework(framework).tasks()).isEmpty();
    assertThat(given.state().pendingTasks()).isEmpty();
    assertThat(given.agent(agent).executorsOf(framework)).isEmpty();
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
  }

  /** Also what the rules about a LAUNCH say: 92 and 93. */
  @Test
  void isToldTheAgentInOneMessageAndChargedWithItsExecutorOnce() {
    launch(task("a"), task("b"));
    RunTask run = given.toldAgent(agent).get(0).getRunTask();
    assertThat(given.toldAgent(agent)).hasSize(1);
    assertThat(run.getLaunchExecutor()).isTrue();
    assertThat(run.getResourceVersionUuid()).isEqualTo("version-1");
    assertThat(run.getGroupExecutor().getExecutorId().getValue()).isEqualTo("e");
    assertThat(run.getGroupExecutor().getResources(0).getAllocationInfo().getRole()).isEqualTo("r");
    assertThat(run.getTasksList())
        .extracting(info -> info.getTaskId().getValue())
        .containsExactly("a", "b");
    assertThat(run.getTasks(0).getResources(0).getAllocationInfo().getRole()).isEqualTo("r");
    assertThat(run.getTasks(0).hasExecutor()).isFalse();
    assertThat(given.sentTo(framework)).isEmpty();
    assertThat(given.task(framework, "a").state()).isEqualTo(TaskState.TASK_STAGING);
    assertThat(given.task(framework, "a").executorId()).isEqualTo("e");
    assertThat(given.task(framework, "a").message().getExecutorId().getValue()).isEqualTo("e");
    assertThat(given.agent(agent).executorsOf(framework).get("e").info().getResources(0))
        .isEqualTo(run.getGroupExecutor().getResources(0));
    assertThat(given.ledger().totalAllocatedTo(framework))
        .isEqualTo(Given.resources("cpus:2.1;mem:48;disk:10").allocatedTo("r"));

    launch(task("c"));
    RunTask second = given.toldAgent(agent).get(0).getRunTask();
    assertThat(second.getLaunchExecutor()).isFalse();
    assertThat(second.getGroupExecutor()).isEqualTo(run.getGroupExecutor());
    assertThat(given.ledger().totalAllocatedTo(framework))
        .isEqualTo(Given.resources("cpus:3.1;mem:56;disk:10").allocatedTo("r"));

    given.run(
        tx ->
            Agents.executorExited(
                tx,
                agent,
                ExecutorExited.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(framework))
                    .setExecutorId(ExecutorID.newBuilder().setValue("e"))
                    .build()));
    assertThat(given.ledger().totalAllocatedTo(framework))
        .isEqualTo(Given.resources("cpus:3;mem:24").allocatedTo("r"));
  }

  /** The executor is said once per group; tasks may repeat it. */
  @Test
  void tasksMayNameTheExecutorOfTheGroupThemselves() {
    launch(task("a").setExecutor(executor), task("b"));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("a", "b");
  }

  @Test
  void anEmptyGroupIsNothing() {
    launch();
    assertThat(given.updates(framework)).isEmpty();
    assertNothingLeft();
  }

  private void refuses(String message, Consumer<TaskInfo.Builder> change) {
    TaskInfo.Builder bad = task("b");
    change.accept(bad);
    launch(task("a"), bad);
    assertRefused(
        Reason.REASON_TASK_GROUP_INVALID,
        "Task '" + bad.getTaskId().getValue() + "' is invalid: " + message,
        "a",
        bad.getTaskId().getValue());
  }

  @Test
  void oneTaskThatIsNotValidFailsAll() {
    refuses("'b/c' contains invalid characters", it -> it.setTaskId(Given.id("b/c")));
    refuses("Task has duplicate ID: a", it -> it.setTaskId(Given.id("a")));
    refuses("Task uses no resources", TaskInfo.Builder::clearResources);
    refuses(
        "HTTP and TCP health checks are not supported for nested containers not joining parent's"
            + " network",
        it -> {
          it.getHealthCheckBuilder().setType(HealthCheck.Type.TCP).getTcpBuilder().setPort(1);
          it.getContainerBuilder()
              .setType(ContainerInfo.Type.MESOS)
              .addNetworkInfos(NetworkInfo.newBuilder().setName("n"));
        });
    refuses(
        "Docker ContainerInfo is not supported on the task",
        it ->
            it.getContainerBuilder()
                .setType(ContainerInfo.Type.DOCKER)
                .getDockerBuilder()
                .setImage("i"));
    refuses(
        "Resource limits may only be set for tasks within a task group when the 'share_cgroups'"
            + " field is set to 'false'.",
        it -> it.putLimits("cpus", Value.Scalar.newBuilder().setValue(2).build()));
  }

  /** Rules 85, 88 and 91. */
  @Test
  void theExecutorHasToBeWhole() {
    assertExecutor("'ExecutorInfo.type' must be set", ExecutorInfo.Builder::clearType);
    assertExecutor("Unknown executor type", it -> it.setType(ExecutorInfo.Type.UNKNOWN));
    assertExecutor(
        "'ExecutorInfo.command' must not be set for 'DEFAULT' executor",
        it -> it.setCommand(CommandInfo.newBuilder().setValue("run")));
    assertExecutor(
        "'ExecutorInfo.command' must be set for 'CUSTOM' executor",
        it -> it.setType(ExecutorInfo.Type.CUSTOM));
    assertExecutor(
        "Docker ContainerInfo is not supported on the executor",
        it -> {
          it.setType(ExecutorInfo.Type.CUSTOM).setCommand(CommandInfo.newBuilder().setValue("run"));
          it.getContainerBuilder()
              .setType(ContainerInfo.Type.DOCKER)
              .getDockerBuilder()
              .setImage("i");
        });
    assertExecutor(
        "'ExecutorInfo.framework_id' must be set", ExecutorInfo.Builder::clearFrameworkId);
    assertExecutor(
        "Executor 'e' uses less CPUs (None) than the minimum required (0.01)",
        ExecutorInfo.Builder::clearResources);
    assertExecutor(
        "Executor 'e' uses less CPUs (0.001) than the minimum required (0.01)",
        it -> resources(it, "cpus:0.001;mem:32;disk:1"));
    assertExecutor(
        "Executor 'e' uses less memory (None) than the minimum required (32MB)",
        it -> resources(it, "cpus:0.1;disk:1"));
    assertExecutor(
        "Executor 'e' uses less memory (31MB) than the minimum required (32MB)",
        it -> resources(it, "cpus:0.1;mem:31;disk:1"));
    assertExecutor("Executor 'e' uses no disk", it -> resources(it, "cpus:0.1;mem:32"));
    assertExecutor(
        "'share_cgroups' cannot be set to 'true' on executors",
        it ->
            it.getContainerBuilder()
                .setType(ContainerInfo.Type.MESOS)
                .getLinuxInfoBuilder()
                .setShareCgroups(true));
  }

  private static void resources(ExecutorInfo.Builder executor, String text) {
    executor
        .clearResources()
        .addAllResources(Given.resources(text).toMessages(Resources.Format.POST_REFINEMENT));
  }

  private void assertExecutor(String message, Consumer<ExecutorInfo.Builder> change) {
    ExecutorInfo.Builder bad = executor.clone();
    change.accept(bad);
    given.accept(framework, List.of(offer()), Given.grouping(bad, task("a"), task("b")));
    assertRefused(Reason.REASON_TASK_GROUP_INVALID, message, "a", "b");
  }

  @Test
  void anExecutorThatDiffersFromItsTasksOrFromTheOneThatRunsIsRefused() {
    launch(task("a"), task("b").setExecutor(executor.clone().setName("n")));
    assertRefused(
        Reason.REASON_TASK_GROUP_INVALID,
        "The `ExecutorInfo` of task 'b' is different from executor 'e'",
        "a",
        "b");
    launch(task("first"));
    given.accept(
        framework,
        List.of(offer()),
        Given.grouping(executor.clone().setName("n"), task("a"), task("b")));
    assertThat(given.updates(framework))
        .hasSize(2)
        .allMatch(it -> it.getReason() == Reason.REASON_TASK_GROUP_INVALID)
        .allMatch(it -> it.getMessage().startsWith("ExecutorInfo is not compatible with"));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("first");
  }

  @Test
  void allTogetherHaveToFit() {
    launch(task("a"), given.command("b", agent, "cpus:9"));
    assertThat(given.updates(framework))
        .hasSize(2)
        .allMatch(
            it ->
                it.getMessage()
                    .startsWith("Total resources cpus(allocated: r):10.1; mem(allocated: r):40;"))
        .allMatch(
            it ->
                it.getMessage()
                    .contains(" required by task group and its executor are more than available "));
    assertNothingLeft();
    launch(given.command("a", agent, "ports:[1-3]"), given.command("b", agent, "ports:[3-4]"));
    assertThat(given.updates(framework))
        .hasSize(2)
        .allMatch(
            it ->
                it.getMessage()
                    .startsWith("Task group and executor use overlapping resources: ports of "));
    assertNothingLeft();
  }

  @Test
  void whetherControlGroupsAreSharedIsOneThingForAllOfAnExecutor() {
    TaskInfo.Builder own = task("b");
    own.getContainerBuilder()
        .setType(ContainerInfo.Type.MESOS)
        .setLinuxInfo(LinuxInfo.newBuilder().setShareCgroups(false));
    launch(task("a"), own);
    assertRefused(Reason.REASON_TASK_GROUP_INVALID, GroupValidation.DIFFERENT_SHARING, "a", "b");
    launch(own);
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("b");
    launch(task("a"));
    assertThat(given.update(framework).getMessage()).isEqualTo(GroupValidation.DIFFERENT_SHARING);
    launch(own.clone().setTaskId(Given.id("c")));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("b", "c");
  }

  /** Rules 63 and 73. */
  @Test
  void whatCannotBeReadFailsAll() {
    Operation group = Given.grouping(executor, task("a"), task("b"));
    given.accept(
        framework,
        List.of(offer()),
        group.toBuilder().setId(OperationID.newBuilder().setValue("o")).build());
    assertRefused(
        Reason.REASON_TASK_GROUP_INVALID,
        "The `id` field cannot be set on LAUNCH_GROUP operations",
        "a",
        "b");
    TaskInfo.Builder bad = task("b");
    bad.getResourcesBuilder(0).clearScalar();
    launch(task("a"), bad);
    assertRefused(
        Reason.REASON_TASK_GROUP_INVALID,
        "Resource 'cpus:0' is invalid: Invalid scalar resource",
        "a",
        "b");
  }

  @Test
  void whatHooksAndAuthorizerSayCounts() {
    given.settings(it -> it.consulting(true));
    launch(task("a"), task("b"));
    Consultation asked = given.only(Effect.Consult.class).consultation();
    assertThat(asked.tasks())
        .allMatch(it -> it.getExecutor().getExecutorId().getValue().equals("e"));
    given.answered(new Consultation.Answer(Set.of("b"), Set.of(), Map.of(), Map.of()));
    assertRefused(
        Reason.REASON_TASK_GROUP_UNAUTHORIZED,
        "Task 'b' is not authorized to launch as user 'u'",
        "a",
        "b");
    launch(task("a"), task("b"));
    Labels labels = Labels.newBuilder().addLabels(Label.newBuilder().setKey("k")).build();
    given.answered(new Consultation.Answer(Set.of(), Set.of(), Map.of("b", labels), Map.of()));
    assertThat(given.toldAgent(agent).get(0).getRunTask().getTasks(1).getLabels())
        .isEqualTo(labels);
    assertThat(given.task(framework, "b").message().getLabels()).isEqualTo(labels);
  }

  @Test
  void whatHooksGiveATaskIsJudgedAndChargedWithItsGroup() {
    given.settings(it -> it.consulting(true));
    launch(task("a"), task("b"));
    given.answered(giving("b", "cpus:2;mem:8;disk:10"));
    assertThat(given.ledger().totalAllocatedTo(framework))
        .isEqualTo(Given.resources("cpus:3.1;mem:48;disk:20").allocatedTo("r"));
    assertThat(given.task(framework, "b").resources())
        .isEqualTo(Given.resources("cpus:2;mem:8;disk:10").allocatedTo("r"));
    given.toldAgent(agent);
    launch(task("c"), task("d"));
    given.answered(giving("d", "cpus:100"));
    assertThat(given.updates(framework))
        .allMatch(it -> it.getReason() == Reason.REASON_TASK_GROUP_INVALID)
        .allMatch(it -> it.getMessage().contains("are more than available"))
        .hasSize(2);
  }

  private static Consultation.Answer giving(String task, String resources) {
    return new Consultation.Answer(
        Set.of(),
        Set.of(),
        Map.of(),
        Map.of(task, Given.resources(resources).toMessages(Resources.Format.POST_REFINEMENT)));
  }

  /** Rule 114 has the same on agents. */
  @Test
  void theKillOfOneWhileOthersAreAskedIsTheEndOfAll() {
    given.settings(it -> it.consulting(true));
    launch(task("a"), task("b"));
    Consultation asked = given.only(Effect.Consult.class).consultation();
    given.run(
        tx -> Tasks.kill(tx, framework, Call.Kill.newBuilder().setTaskId(Given.id("b")).build()));
    given.run(tx -> asked.then().apply(tx, Consultation.Answer.NONE));
    assertThat(given.updates(framework))
        .allMatch(it -> it.getState() == TaskState.TASK_KILLED)
        .allMatch(it -> it.getReason() == Reason.REASON_TASK_KILLED_DURING_LAUNCH)
        .extracting(TaskStatus::getMessage)
        .containsExactly(
            "A task within the task group was killed before delivery to the agent",
            "Killed before delivery to the agent");
    assertNothingLeft();
  }

  /** Rules 61 and 66. */
  @Test
  void withoutOfferOrAgentAllAreDropped() {
    Offer gone = offer();
    given.accept(framework, List.of(gone));
    given.accept(framework, List.of(gone), Given.grouping(executor, task("a"), task("b")));
    assertThat(given.updates(framework))
        .hasSize(2)
        .allMatch(it -> it.getState() == TaskState.TASK_DROPPED)
        .allMatch(it -> it.getReason() == Reason.REASON_INVALID_OFFERS);
    given.settings(it -> it.consulting(true));
    launch(task("a"), task("b"));
    Consultation asked = given.only(Effect.Consult.class).consultation();
    given.run(tx -> Disconnections.disconnected(tx, agent));
    given.run(tx -> asked.then().apply(tx, Consultation.Answer.NONE));
    assertThat(given.updates(framework))
        .hasSize(2)
        .allMatch(it -> it.getState() == TaskState.TASK_DROPPED)
        .allMatch(it -> it.getReason() == Reason.REASON_AGENT_DISCONNECTED);
    assertNothingLeft();
  }

  @Test
  void aGroupIsLaunchedInOneTurnHoweverLargeItIs() {
    TaskInfo.Builder[] many = new TaskInfo.Builder[70];
    for (int i = 0; i < many.length; i++) {
      many[i] = given.command("g" + i, agent, "cpus:0.1");
    }
    given.accept(
        framework,
        List.of(offer()),
        Given.launching(task("a")),
        Given.grouping(executor, many),
        Given.launching(task("b")));
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("a");
    assertThat(given.state().pendingTasks()).hasSize(71);
    given.next();
    assertThat(given.framework(framework).tasks()).hasSize(71);
    given.next();
    assertThat(given.framework(framework).tasks()).hasSize(72);
    assertThat(given.state().pendingTasks()).isEmpty();
  }
}
