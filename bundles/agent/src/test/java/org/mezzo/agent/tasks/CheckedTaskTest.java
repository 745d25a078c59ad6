package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.RLimitInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources;

/** What checks make of a command task (rules 206, 207, 233, 235 and 236). */
class CheckedTaskTest {
  private static final Duration DELAY = Duration.ofSeconds(15);
  private static final Duration INTERVAL = Duration.ofSeconds(10);
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  @TempDir Path folder;
  private ExecutorBench bench;
  private AgentExecutor executor;

  @BeforeEach
  void open() throws Exception {
    bench = new ExecutorBench(folder);
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private static HealthCheck.Builder http() {
    return HealthCheck.newBuilder()
        .setType(HealthCheck.Type.HTTP)
        .setGracePeriodSeconds(0)
        .setConsecutiveFailures(2)
        .setHttp(HealthCheck.HTTPCheckInfo.newBuilder().setPort(80));
  }

  private static CheckInfo.Builder tcp() {
    return CheckInfo.newBuilder()
        .setType(CheckInfo.Type.TCP)
        .setTcp(CheckInfo.Tcp.newBuilder().setPort(80));
  }

  private static CheckInfo.Builder command(CommandInfo.Builder command) {
    return CheckInfo.newBuilder()
        .setType(CheckInfo.Type.COMMAND)
        .setCommand(CheckInfo.Command.newBuilder().setCommand(command));
  }

  private void run(TaskInfo.Builder task) {
    task.setCommand(
        CommandInfo.newBuilder()
            .setValue("run")
            .setEnvironment(
                Environment.newBuilder()
                    .addVariables(Environment.Variable.newBuilder().setName("A").setValue("task"))
                    .addVariables(
                        Environment.Variable.newBuilder().setName("B").setValue("task"))));
    TaskInfo info = task.build();
    executor = bench.command(info);
    ExecutorBench.give(executor, List.of(new AgentTask(executor, info, TaskVolumes.NONE)));
    bench.containers.starts();
  }

  private static TaskInfo.Builder task() {
    return ExecutorBench.task("a").toBuilder();
  }

  private void outcome(Outcome outcome) {
    assertThat(bench.probed).hasSize(1);
    bench.probed.remove(0).accept(outcome);
  }

  private TaskStatus only() {
    List<TaskStatus> told = bench.told();
    assertThat(told).hasSize(1);
    return told.get(0);
  }

  @Test
  void aTaskThatIsNotHealthyIsToldAndThenKilled() {
    run(task().setHealthCheck(http()));
    assertThat(bench.told()).allSatisfy(status -> assertThat(status.hasHealthy()).isFalse());
    bench.elapse(DELAY);
    outcome(new Outcome.Answered(204));
    TaskStatus healthy = only();
    assertThat(healthy.getState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(healthy.getReason()).isEqualTo(Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED);
    assertThat(healthy.getHealthy()).isTrue();
    bench.elapse(INTERVAL);
    outcome(new Outcome.Answered(500));
    TaskStatus ill = only();
    assertThat(ill.getState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(ill.getReason()).isEqualTo(Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED);
    assertThat(ill.hasHealthy()).isTrue();
    assertThat(ill.getHealthy()).isFalse();
    assertThat(bench.containers.signals).isEmpty();
    bench.elapse(INTERVAL);
    outcome(new Outcome.Failed("nobody there"));
    assertThat(only().getMessage()).isEqualTo("Health check failed 2 times in a row: nobody there");
    assertThat(bench.containers.signals).containsExactly(15);
    bench.containers.ends(Termination.of(15));
    TaskStatus last = only();
    assertThat(last.getState()).isEqualTo(TaskState.TASK_KILLED);
    assertThat(last.hasHealthy()).isTrue();
    assertThat(last.getHealthy()).isFalse();
    assertThat(last.hasReason()).isFalse();
    assertThat(last.getMessage()).isEqualTo("Command terminated with signal Terminated");
  }

  @Test
  void everyUpdateHasTheResultOfTheCheck() {
    run(task().setCheck(tcp()));
    assertThat(bench.told())
        .hasSize(2)
        .allSatisfy(
            status -> {
              assertThat(status.getCheckStatus().getType()).isEqualTo(CheckInfo.Type.TCP);
              assertThat(status.getCheckStatus().hasTcp()).isTrue();
              assertThat(status.getCheckStatus().getTcp().hasSucceeded()).isFalse();
            });
    bench.elapse(DELAY);
    outcome(new Outcome.Connected(false, "refused"));
    TaskStatus told = only();
    assertThat(told.getState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(told.getReason()).isEqualTo(Reason.REASON_TASK_CHECK_STATUS_UPDATED);
    assertThat(told.getCheckStatus().getTcp().hasSucceeded()).isTrue();
    bench.elapse(INTERVAL);
    outcome(new Outcome.Connected(true, ""));
    assertThat(only().getCheckStatus().getTcp().getSucceeded()).isTrue();
    assertThat(bench.containers.signals).isEmpty();
    bench.containers.ends(Termination.of(0));
    TaskStatus last = only();
    assertThat(last.getState()).isEqualTo(TaskState.TASK_FINISHED);
    assertThat(last.getCheckStatus().getTcp().getSucceeded()).isTrue();
    assertThat(last.hasReason()).isFalse();
  }

  @Test
  void nothingIsTriedDuringAKillOrAfterTheEnd() {
    run(task().setCheck(tcp()));
    bench.elapse(DELAY);
    assertThat(bench.probed).hasSize(1);
    executor.kill(executor.tasks().iterator().next(), KillPolicy.getDefaultInstance());
    assertThat(bench.probed).isEmpty();
    bench.elapse(INTERVAL);
    assertThat(bench.probed).isEmpty();
  }

  @Test
  void aTaskThatCannotBeCheckedFailsAndSaysWhy() {
    run(task().setCheck(tcp()));
    bench.told();
    bench.elapse(DELAY);
    outcome(new Outcome.Impossible("it is elsewhere"));
    assertThat(bench.containers.destroyed).containsExactly("c");
    bench.containers.ends(Termination.of(9));
    TaskStatus last = only();
    assertThat(last.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(last.getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(last.getMessage()).isEqualTo("The check cannot be made: it is elsewhere");
  }

  @Test
  void aCommandRunsAsTheTaskWithTheEnvironmentOfBoth() throws Exception {
    run(
        task()
            .setContainer(
                ContainerInfo.newBuilder()
                    .setType(ContainerInfo.Type.MESOS)
                    .setRlimitInfo(RLimitInfo.getDefaultInstance())
                    .addVolumes(Volume.newBuilder().setMode(Volume.Mode.RW).setContainerPath("v")))
            .setCheck(
                command(
                    CommandInfo.newBuilder()
                        .setValue("test -e x")
                        .setEnvironment(
                            Environment.newBuilder()
                                .addVariables(
                                    Environment.Variable.newBuilder()
                                        .setName("B")
                                        .setValue("check"))))));
    bench.told();
    bench.elapse(DELAY);
    LaunchRequest tasks = bench.containers.requests.get(0);
    LaunchRequest check = bench.containers.requests.get(1);
    assertThat(check.containerId().value()).startsWith("check-");
    assertThat(check.containerId().parent()).contains(tasks.containerId());
    assertThat(check.kept()).isFalse();
    assertThat(check.user()).isEqualTo(tasks.user());
    assertThat(check.environment()).containsEntry("A", "task").containsEntry("B", "check");
    assertThat(check.sandbox()).isEqualTo(tasks.sandbox());
    assertThat(check.resources()).isEqualTo(Resources.EMPTY);
    assertThat(check.info().orElseThrow().hasRlimitInfo()).isTrue();
    assertThat(check.info().orElseThrow().getVolumesList()).isEmpty();
    assertThat(check.io()).isEqualTo(ContainerIo.REMARKS);
    assertThat(check.command().getValue()).isEqualTo("test -e x");
    bench.containers.checks.get(0).complete(Termination.of(3 << 8));
    assertThat(only().getCheckStatus().getCommand().getExitCode()).isEqualTo(3);
    assertThat(bench.containers.destroyed).containsExactly(check.containerId().toString());
  }

  /** What the journal has of a task is all that the next process of the agent knows. */
  @Test
  void afterARestartOfTheAgentHealthGoesOn() throws Exception {
    bench.close();
    bench =
        new ExecutorBench(
            folder.resolve("kept"),
            ExecutorBench.FRAMEWORK.toBuilder().setCheckpoint(true).build());
    TaskInfo.Builder asked =
        task().setHealthCheck(http().setConsecutiveFailures(3)).setCheck(tcp());
    run(asked);
    bench.elapse(DELAY);
    for (int i = 0; i < 2; i++) {
      assertThat(bench.probed).hasSize(2);
      bench.probed.remove(0).accept(new Outcome.Connected(true, ""));
      bench.probed.remove(0).accept(new Outcome.Answered(500));
      bench.elapse(INTERVAL);
    }
    bench.told();
    TaskEntry kept =
        bench.journal.kept().tasks().stream()
            .filter(entry -> entry.getInfo().getTaskId().getValue().equals("a"))
            .findFirst()
            .orElseThrow();
    assertThat(kept.getHealthFailures()).isEqualTo(2);
    assertThat(kept.hasRunningSinceMillis()).isTrue();
    bench.probed.clear();

    AgentExecutor next = bench.command(kept.getInfo());
    AgentTask again = new AgentTask(next, kept, TaskVolumes.NONE);
    next.resume(
        List.of(again),
        id ->
            Optional.of(
                new Containerizer.Recovered(
                    ContainerId.of("c"), true, OptionalLong.of(42), new CompletableFuture<>())),
        "nothing is left");
    assertThat(bench.told()).isEmpty();
    bench.elapse(DELAY);
    assertThat(bench.probed).hasSize(2);
    bench.probed.get(0).accept(new Outcome.Connected(true, ""));
    assertThat(bench.told()).isEmpty();
    bench.probed.get(1).accept(new Outcome.Answered(500));
    TaskStatus last = only();
    assertThat(last.getMessage()).startsWith("Health check failed 3 times in a row");
    assertThat(last.getCheckStatus().getTcp().getSucceeded()).isTrue();
    assertThat(bench.containers.signals).containsExactly(15);
  }

  /** Rule 238. */
  @Test
  void aCommandWithoutAShellMayHaveNoValue() {
    run(
        task()
            .setCheck(
                command(
                    CommandInfo.newBuilder()
                        .setShell(false)
                        .addArguments("ls")
                        .addArguments("-l x"))));
    bench.elapse(DELAY);
    LaunchRequest check = bench.containers.requests.get(1);
    assertThat(check.command().getValue()).isEqualTo("ls");
    assertThat(check.command().getArgumentsList()).containsExactly("ls", "-l x");
  }

  /** A task that ends takes with it what is tried in its container. */
  @Test
  void whatFailsBecauseTheTaskEndsIsNotTold() {
    run(
        task()
            .setHealthCheck(
                HealthCheck.newBuilder()
                    .setType(HealthCheck.Type.COMMAND)
                    .setGracePeriodSeconds(0)
                    .setConsecutiveFailures(1)
                    .setCommand(CommandInfo.newBuilder().setValue("sleep 100"))));
    bench.elapse(DELAY);
    bench.told();
    bench.containers.ending = true;
    bench.containers.checks.get(0).complete(Termination.of(9));
    assertThat(bench.told()).isEmpty();
    bench.containers.ends(Termination.of(0));
    assertThat(only().getState()).isEqualTo(TaskState.TASK_FINISHED);
  }

  @Test
  void aCommandThatCanNeverBeRunFailsTheTask() {
    bench.containers.unable = Optional.of("not in that network");
    run(task().setCheck(command(CommandInfo.newBuilder().setValue("true"))));
    bench.told();
    bench.elapse(DELAY);
    bench.containers.ends(Termination.of(9));
    TaskStatus last = only();
    assertThat(last.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(last.getMessage())
        .isEqualTo("The check cannot be made: the command cannot be run: not in that network");
  }

  @Test
  void aCommandIsKilledWhenItsTimeIsOverAndWithTheTask() {
    run(task().setCheck(command(CommandInfo.newBuilder().setValue("sleep 100"))));
    bench.elapse(DELAY);
    String first = bench.containers.requests.get(1).containerId().toString();
    assertThat(bench.containers.destroyed).isEmpty();
    bench.elapse(TIMEOUT);
    assertThat(bench.containers.destroyed).containsExactly(first);
    bench.elapse(INTERVAL);
    String second = bench.containers.requests.get(2).containerId().toString();
    bench.told();
    executor.kill(executor.tasks().iterator().next(), KillPolicy.getDefaultInstance());
    assertThat(bench.containers.destroyed).containsExactly(first, second);
  }
}
