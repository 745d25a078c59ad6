package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.tasks.AgentExecutor.Phase;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.protocol.v1.executor.Event;
import org.mezzo.resources.Resources;

/** Rules 211 to 225. */
class DefaultRunTest {
  private static final KillPolicy NO_POLICY = KillPolicy.getDefaultInstance();
  private static final Duration DEFAULT_GRACE = Duration.ofSeconds(3);
  private static final Termination TERMINATED = Termination.of(15);

  @TempDir Path folder;
  private ExecutorBench bench;
  private AgentExecutor executor;

  @BeforeEach
  void open() throws Exception {
    bench = new ExecutorBench(folder);
    executor = bench.played();
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private void group(String... ids) {
    ExecutorBench.group(executor, info -> {}, ids);
  }

  /** A group whose containers are those that follow in the order of requests. */
  private void running(String... ids) {
    int first = bench.containers.requests.size();
    group(ids);
    for (int i = 0; i < ids.length; i++) {
      bench.containers.starts(first + i);
    }
    bench.told();
  }

  private AgentTask task(String id) {
    return executor.task(TaskID.newBuilder().setValue(id).build()).orElseThrow();
  }

  private String container(int number) {
    return bench.containers.requests.get(number).containerId().toString();
  }

  private static KillPolicy grace(Duration grace) {
    return KillPolicy.newBuilder()
        .setGracePeriod(DurationInfo.newBuilder().setNanoseconds(grace.toNanos()))
        .build();
  }

  /** Rules 212 and 213. */
  @Test
  void allAreToldToStartBeforeOneRunsAndEachRunsInItsOwnContainer() {
    group("a", "b");
    assertThat(bench.containers.requests).hasSize(2);
    List<TaskStatus> starting = bench.told();
    assertThat(starting)
        .extracting(it -> it.getTaskId().getValue() + it.getState())
        .containsExactly("aTASK_STARTING", "bTASK_STARTING");
    TaskStatus first = starting.get(0);
    assertThat(first.getSource()).isEqualTo(TaskStatus.Source.SOURCE_EXECUTOR);
    assertThat(first.getExecutorId().getValue()).isEqualTo("e");
    assertThat(ContainerId.of(first.getContainerStatus().getContainerId()))
        .hasToString(container(0));
    assertThat(first.getContainerStatus().getContainerId().getParent().getValue()).isEqualTo("c");
    assertThat(bench.containers.enclosures).containsExactly("c");
    assertThat(first.getContainerStatus().getNetworkInfosCount()).isZero();
    bench.containers.starts(1);
    TaskStatus running = bench.told().get(0);
    assertThat(running.getTaskId().getValue()).isEqualTo("b");
    assertThat(running.getContainerStatus().getContainerId())
        .isEqualTo(starting.get(1).getContainerStatus().getContainerId());
    assertThat(running.getContainerStatus().getExecutorPid()).isEqualTo(43);
    assertThat(running.getContainerStatus().getNetworkInfosCount()).isEqualTo(1);
    bench.containers.ends(1, Termination.of(0));
    TaskStatus finished = bench.told().get(0);
    assertThat(finished.getMessage()).isEqualTo("Command exited with status 0");
    assertThat(finished.hasReason()).isFalse();
    assertThat(finished.getContainerStatus()).isEqualTo(starting.get(1).getContainerStatus());
  }

  /** Rules 206, 217 and 237. */
  @Test
  void aTaskThatIsNotHealthyIsKilledAndTakesItsGroupAlong() {
    ExecutorBench.group(
        executor,
        info ->
            info.setHealthCheck(
                HealthCheck.newBuilder()
                    .setType(HealthCheck.Type.TCP)
                    .setDelaySeconds(1)
                    .setGracePeriodSeconds(0)
                    .setConsecutiveFailures(1)
                    .setTcp(HealthCheck.TCPCheckInfo.newBuilder().setPort(80))),
        "a",
        "b");
    bench.containers.starts(0);
    bench.containers.starts(1);
    bench.told();
    bench.elapse(Duration.ofSeconds(1));
    assertThat(bench.probed).hasSize(2);
    bench.probed.get(0).accept(new Outcome.Failed("nobody there"));
    assertThat(bench.told().get(0).getHealthy()).isFalse();
    assertThat(bench.containers.signals).containsExactly(15);
    bench.containers.ends(0, TERMINATED);
    TaskStatus killed = bench.told().get(0);
    assertThat(killed.getState()).isEqualTo(TaskState.TASK_KILLED);
    assertThat(killed.hasHealthy()).isTrue();
    assertThat(killed.getHealthy()).isFalse();
    assertThat(bench.containers.signals).containsExactly(15, 15);
  }

  /** Rule 237. */
  @Test
  void theCommandOfACheckRunsInTheSandboxOfItsTask() {
    ExecutorBench.group(
        executor,
        info ->
            info.setCheck(
                CheckInfo.newBuilder()
                    .setType(CheckInfo.Type.COMMAND)
                    .setDelaySeconds(1)
                    .setCommand(
                        CheckInfo.Command.newBuilder()
                            .setCommand(CommandInfo.newBuilder().setValue("test -e x")))),
        "a");
    bench.containers.starts(0);
    bench.elapse(Duration.ofSeconds(1));
    LaunchRequest check = bench.containers.requests.get(1);
    LaunchRequest tasks = bench.containers.requests.get(0);
    assertThat(check.containerId().parent()).contains(tasks.containerId());
    assertThat(check.sandbox()).isEqualTo(tasks.sandbox());
    assertThat(check.command().getValue()).isEqualTo("test -e x");
    assertThat(check.environment()).containsEntry("MESOS_SANDBOX", tasks.sandbox().toString());
  }

  /** They are in the sandbox that it has in common with its task. */
  @Test
  void aCheckHasNoVolumesOfItsOwn() {
    Volume shared =
        Volume.newBuilder()
            .setMode(Volume.Mode.RW)
            .setContainerPath("at")
            .setSource(
                Volume.Source.newBuilder()
                    .setType(Volume.Source.Type.SANDBOX_PATH)
                    .setSandboxPath(
                        Volume.Source.SandboxPath.newBuilder()
                            .setType(Volume.Source.SandboxPath.Type.PARENT)
                            .setPath("shared")))
            .build();
    ContainerInfo container =
        ContainerInfo.newBuilder().setType(ContainerInfo.Type.MESOS).addVolumes(shared).build();
    CheckInfo check =
        CheckInfo.newBuilder()
            .setType(CheckInfo.Type.COMMAND)
            .setDelaySeconds(1)
            .setCommand(
                CheckInfo.Command.newBuilder()
                    .setCommand(CommandInfo.newBuilder().setValue("true")))
            .build();
    ExecutorBench.group(executor, info -> info.setContainer(container).setCheck(check), "a");
    bench.containers.starts(0);
    bench.elapse(Duration.ofSeconds(1));
    assertThat(bench.containers.requests.get(0).info()).contains(container);
    assertThat(bench.containers.requests.get(1).info())
        .contains(container.toBuilder().clearVolumes().build());
  }

  /** Rules 214 and 215. */
  @Test
  void sandboxesStandInThatOfTheExecutor() throws Exception {
    group("a");
    LaunchRequest request = bench.containers.requests.get(0);
    assertThat(request.sandbox())
        .isEqualTo(
            executor
                .sandbox
                .resolve("containers")
                .resolve(bench.containers.requests.get(0).containerId().value()))
        .isDirectory();
    assertThat(executor.sandbox.resolve("tasks/a").toRealPath())
        .isEqualTo(request.sandbox().toRealPath());
    assertThat(Files.readSymbolicLink(executor.sandbox.resolve("tasks/a"))).isRelative();
    assertThat(executor.sandbox.resolveSibling("latest")).isSymbolicLink();
    assertThat(request.environment())
        .containsEntry("MESOS_SANDBOX", request.sandbox().toString())
        .containsEntry("MESOS_TASK_ID", "a")
        .containsEntry("MESOS_EXECUTOR_ID", "e")
        .containsEntry("MESOS_CONTAINER_IP", "10.0.0.1");
    assertThat(request.resources().scalar("cpus")).isEqualTo(1000);
    assertThat(executor.view().nested())
        .containsExactly(bench.containers.requests.get(0).containerId());
  }

  /** Rules 217 and 218. */
  @Test
  void theFirstThatFailsEndsItsGroupAndWithTheLastTheExecutorEnds() {
    running("a", "b", "c");
    bench.containers.ends(0, Termination.of(1 << 8));
    assertThat(bench.words()).containsExactly("a:FAILED");
    assertThat(bench.containers.signals).containsExactly(15, 15);
    bench.containers.ends(1, TERMINATED);
    assertThat(executor.phase()).isEqualTo(Phase.RUNNING);
    // That it ends by itself with the last signal in its ear changes nothing.
    bench.containers.ends(2, Termination.of(0));
    List<TaskStatus> last = bench.told();
    assertThat(last)
        .extracting(it -> it.getState() + " " + it.getMessage())
        .containsExactly(
            "TASK_KILLED Command terminated with signal Terminated",
            "TASK_KILLED Command exited with status 0");
    assertThat(executor.phase()).isEqualTo(Phase.TERMINATED);
    assertThat(bench.exited).containsExactly("e:0");
    assertThat(bench.settled).containsExactly(executor);
    assertThat(bench.used()).containsEntry("cpus", 0.0);
    assertThat(bench.containers.destroyed.stream().distinct())
        .containsExactly(container(0), container(1), container(2), "c");
  }

  /** Rule 217. */
  @Test
  void whatFinishesLeavesTheOthersAlone() {
    running("a", "b");
    bench.containers.ends(0, Termination.of(0));
    assertThat(bench.words()).containsExactly("a:FINISHED");
    assertThat(bench.containers.signals).isEmpty();
    assertThat(bench.exited).isEmpty();
    bench.containers.ends(1, Termination.of(0));
    assertThat(bench.words()).containsExactly("b:FINISHED");
    assertThat(bench.exited).containsExactly("e:0");
  }

  /** Rules 217 and 219: others have three seconds, whatever they say themselves. */
  @Test
  void aKillHasItsGraceAndTheOthersOfTheGroupTheDefault() {
    Duration own = Duration.ofSeconds(20);
    ExecutorBench.group(executor, info -> info.setKillPolicy(grace(own)), "a", "b");
    bench.containers.starts(0);
    bench.containers.starts(1);
    bench.told();
    executor.kill(task("a"), NO_POLICY);
    executor.kill(task("a"), grace(Duration.ofSeconds(1)));
    assertThat(bench.containers.signals).containsExactly(15);
    bench.elapse(Duration.ofSeconds(1));
    assertThat(bench.containers.destroyed).isEmpty();
    bench.elapse(own);
    assertThat(bench.containers.destroyed).containsExactly(container(0));
    bench.containers.ends(0, Termination.of(9));
    assertThat(bench.words()).containsExactly("a:KILLED");
    assertThat(bench.containers.signals).containsExactly(15, 15);
    bench.elapse(DEFAULT_GRACE);
    assertThat(bench.containers.destroyed).contains(container(1));
    bench.containers.ends(1, Termination.of(9));
    assertThat(bench.words()).containsExactly("b:KILLED");
  }

  @Test
  void otherGroupsLiveOn() {
    running("a", "b");
    running("x", "y");
    bench.containers.ends(1, Termination.of(1 << 8));
    bench.containers.ends(0, TERMINATED);
    assertThat(bench.words()).containsExactly("b:FAILED", "a:KILLED");
    assertThat(bench.containers.signals).hasSize(1);
    assertThat(executor.phase()).isEqualTo(Phase.RUNNING);
    executor.kill(task("y"), NO_POLICY);
    bench.containers.ends(3, TERMINATED);
    bench.containers.ends(2, TERMINATED);
    assertThat(bench.words()).containsExactly("y:KILLED", "x:KILLED");
    assertThat(bench.exited).containsExactly("e:0");
  }

  @Test
  void aKillWhileContainersAreMadeEndsThem() {
    group("a", "b");
    bench.told();
    executor.kill(task("b"), NO_POLICY);
    assertThat(bench.containers.destroyed).containsExactly(container(1));
    bench.containers.fails(1, "cancelled");
    assertThat(bench.containers.destroyed).contains(container(0));
    bench.containers.fails(0, "cancelled");
    assertThat(bench.words())
        .containsExactly(
            "b:KILLED:TASK_KILLED_DURING_LAUNCH", "a:KILLED:TASK_KILLED_DURING_LAUNCH");
    assertThat(bench.exited).containsExactly("e:0");
  }

  /** It was killed, but runs all the same when its start is told. */
  @Test
  void aKillWhileItsContainerIsMadeIsNotForgotten() {
    group("a");
    executor.kill(task("a"), NO_POLICY);
    bench.containers.starts(0);
    assertThat(bench.containers.signals).containsExactly(15);
    bench.containers.ends(0, Termination.of(9));
    assertThat(bench.words()).containsExactly("a:STARTING", "a:RUNNING", "a:KILLED");
  }

  /** Rule 224. */
  @Test
  void aContainerThatCannotBeMadeFailsItsTaskAndEndsTheGroup() {
    group("a", "b");
    bench.containers.starts(0);
    bench.told();
    bench.containers.fails(1, "no such file");
    TaskStatus failed = bench.told().get(0);
    assertThat(failed.getReason()).isEqualTo(TaskStatus.Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(failed.getMessage()).isEqualTo("Failed to launch container: no such file");
    assertThat(bench.containers.signals).containsExactly(15);
    bench.containers.ends(0, TERMINATED);
    assertThat(bench.words()).containsExactly("a:KILLED");
  }

  /** Nothing of a group is left where not even the executor's sandbox can be made. */
  @Test
  void withoutASandboxNothingIsLaunched() throws Exception {
    Files.createDirectories(executor.sandbox.getParent().getParent());
    Files.createFile(executor.sandbox.getParent());
    group("a", "b");
    assertThat(bench.containers.requests).isEmpty();
    assertThat(bench.words())
        .containsExactly(
            "a:STARTING",
            "b:STARTING",
            "a:FAILED:CONTAINER_LAUNCH_FAILED",
            "b:FAILED:CONTAINER_LAUNCH_FAILED");
    assertThat(bench.exited).containsExactly("e:-1");
  }

  /** Rule 221. */
  @Test
  void timeThatIsOverFailsATask() {
    Duration limit = Duration.ofSeconds(7);
    ExecutorBench.group(
        executor,
        info ->
            info.setMaxCompletionTime(DurationInfo.newBuilder().setNanoseconds(limit.toNanos())),
        "a");
    bench.containers.starts(0);
    bench.told();
    bench.elapse(limit);
    assertThat(bench.containers.destroyed).containsExactly(container(0));
    bench.containers.ends(0, Termination.of(9));
    assertThat(bench.words()).containsExactly("a:FAILED:MAX_COMPLETION_TIME_REACHED");
  }

  /** Rule 216. */
  @Test
  void aLimitSaysWhy() {
    running("a");
    bench.containers.ends(
        0,
        Termination.of(9)
            .because(
                new Containerizer.Limitation(
                    Resources.EMPTY, "REASON_CONTAINER_LIMITATION_MEMORY", "too much")));
    TaskStatus status = bench.told().get(0);
    assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_CONTAINER_LIMITATION_MEMORY);
    assertThat(status.getMessage()).isEqualTo("Command terminated with signal Killed: too much");
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_EXECUTOR);
    assertThat(status.hasLimitation()).isTrue();
  }

  /** Rule 220. */
  @Test
  void aShutdownKillsAllAndDestroysWhatDoesNotEnd() {
    running("a", "b");
    executor.shutdown(executor.grace());
    assertThat(executor.phase()).isEqualTo(Phase.TERMINATING);
    assertThat(bench.containers.signals).containsExactly(15, 15);
    bench.containers.ends(0, TERMINATED);
    bench.elapse(ExecutorBench.GRACE);
    assertThat(bench.containers.destroyed).contains(container(1));
    bench.containers.ends(1, Termination.of(9));
    assertThat(bench.words()).containsExactly("a:KILLED", "b:KILLED");
    assertThat(bench.exited).containsExactly("e:0");
  }

  /** Rule 225. */
  @Test
  void aGroupThatStillWaitsWhenTheExecutorEndsIsDropped() {
    running("a");
    Batch late =
        new Batch(
            List.of(
                new AgentTask(
                    executor, ExecutorBench.task("b"), org.mezzo.agent.volumes.TaskVolumes.NONE)),
            true);
    executor.enqueue(late);
    bench.containers.ends(0, Termination.of(0));
    assertThat(bench.words()).containsExactly("a:FINISHED", "b:DROPPED:EXECUTOR_TERMINATED");
  }

  /** Rule 219. */
  @Test
  void whoKnowsOfKillingIsTold() throws Exception {
    bench.close();
    bench =
        new ExecutorBench(
            folder,
            ExecutorBench.FRAMEWORK.toBuilder()
                .addCapabilities(
                    FrameworkInfo.Capability.newBuilder()
                        .setType(FrameworkInfo.Capability.Type.TASK_KILLING_STATE))
                .build());
    executor = bench.played();
    running("a", "b");
    executor.kill(task("a"), NO_POLICY);
    bench.containers.ends(0, TERMINATED);
    bench.containers.ends(1, TERMINATED);
    assertThat(bench.words()).containsExactly("a:KILLING", "b:KILLING", "a:KILLED", "b:KILLED");
  }

  /** A custom executor is handed a group as such, be it of one. */
  @Test
  void anExecutorOfTheFrameworkIsHandedGroups() {
    AgentExecutor custom = bench.custom();
    ExecutorBench.group(custom, info -> {}, "a");
    bench.containers.starts();
    ExecutorBench.Connection connection = ExecutorBench.subscribe(custom);
    assertThat(connection.types()).containsExactly(Event.Type.SUBSCRIBED, Event.Type.LAUNCH_GROUP);
    ExecutorBench.group(custom, info -> {}, "b", "c");
    assertThat(connection.events.get(2).getLaunchGroup().getTaskGroup().getTasksList())
        .extracting(it -> it.getTaskId().getValue())
        .containsExactly("b", "c");
  }
}
