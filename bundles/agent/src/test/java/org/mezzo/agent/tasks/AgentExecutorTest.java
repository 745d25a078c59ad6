package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.agent.tasks.AgentExecutor.Phase;
import org.mezzo.agent.tasks.ExecutorBench.Connection;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.protocol.v1.executor.Event;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

class AgentExecutorTest {
  private static final KillPolicy NO_POLICY = KillPolicy.getDefaultInstance();

  @TempDir Path folder;
  private ExecutorBench bench;
  private AgentExecutor executor;

  @BeforeEach
  void open() throws Exception {
    bench = new ExecutorBench(folder);
    executor = bench.custom();
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private AgentTask task(String id) {
    return executor.task(TaskID.newBuilder().setValue(id).build()).orElseThrow();
  }

  private HttpRun run() {
    return (HttpRun) executor.runner();
  }

  private void kill(String id) {
    executor.kill(task(id), NO_POLICY);
  }

  private Connection connected(String... tasks) {
    for (String task : tasks) {
      ExecutorBench.give(executor, task);
    }
    bench.containers.starts();
    return ExecutorBench.subscribe(executor);
  }

  /** Where the table begins: task "a" waits, or was launched where a connection was there. */
  private Optional<Connection> reach(String state) {
    switch (state) {
      case "new" -> {
        Batch batch =
            new Batch(List.of(new AgentTask(executor, ExecutorBench.task("a"), TaskVolumes.NONE)));
        executor.enqueue(batch);
        return Optional.empty();
      }
      case "starting" -> {
        ExecutorBench.give(executor, "a");
        return Optional.empty();
      }
      case "started" -> {
        ExecutorBench.give(executor, "a");
        bench.containers.starts();
        return Optional.empty();
      }
      default -> {
        Connection connection = connected("a");
        switch (state) {
          case "connected" -> {}
          case "cut" -> run().disconnected(connection);
          case "ending" -> executor.shutdown(ExecutorBench.GRACE);
          case "over" -> bench.containers.ends(Termination.of(0));
          default -> throw new IllegalArgumentException(state);
        }
        bench.told();
        connection.events.clear();
        return Optional.of(connection);
      }
    }
  }

  /**
   * Every state with every event: the phase after it, what its connection is sent, what is told of
   * its task, and whether its container was destroyed.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        // Nothing began: hooks still look at its first task.
        "new       | kill       | TERMINATED  |            | a:KILLED:TASK_KILLED_DURING_LAUNCH",
        "new       | shutdown   | TERMINATED  |            | a:KILLED:TASK_KILLED_DURING_LAUNCH",
        "new       | subscribe  | REGISTERING |           |",
        "new       | message    | REGISTERING |            |",
        "new       | another    | REGISTERING |            |",
        // Its container is being made.
        "starting  | kill       | TERMINATING |            | a:KILLED:TASK_KILLED_DURING_LAUNCH",
        "starting  | shutdown   | TERMINATING |            |",
        "starting  | fails      | TERMINATED  |            | a:FAILED:CONTAINER_LAUNCH_FAILED",
        "starting  | subscribe  | RUNNING     | SUBSCRIBED LAUNCH |",
        "starting  | message    | REGISTERING |            |",
        "starting  | another    | REGISTERING |            |",
        "starting  | register   | REGISTERING |            |",
        // Its container runs and it has not subscribed.
        "started   | kill       | TERMINATING |            | a:KILLED:TASK_KILLED_DURING_LAUNCH",
        "started   | shutdown   | TERMINATING |            |",
        "started   | register   | TERMINATING |           | | destroyed",
        "started   | ends       | TERMINATED  |            | a:FAILED:EXECUTOR_TERMINATED",
        "started   | limit      | TERMINATED  |            | a:FAILED:CONTAINER_LIMITATION_MEMORY",
        "started   | subscribe  | RUNNING     | SUBSCRIBED LAUNCH |",
        "started   | message    | REGISTERING |            |",
        "started   | another    | REGISTERING |            |",
        // It has subscribed, and its task.
        "connected | kill       | RUNNING     | KILL       |",
        "connected | message    | RUNNING     | MESSAGE    |",
        "connected | another    | RUNNING     | LAUNCH     |",
        "connected | running    | RUNNING     | ACKNOWLEDGED | a:RUNNING",
        "connected | finished   | RUNNING     | ACKNOWLEDGED | a:FINISHED",
        "connected | shutdown   | TERMINATING | SHUTDOWN   |",
        "connected | register   | RUNNING     |            |",
        "connected | grace      | RUNNING     |            |",
        "connected | ends       | TERMINATED  |            | a:FAILED:EXECUTOR_TERMINATED",
        "connected | limit      | TERMINATED  |            | a:FAILED:CONTAINER_LIMITATION_MEMORY",
        // Its connection is gone.
        "cut       | kill       | RUNNING     |            |",
        "cut       | message    | RUNNING     |            |",
        "cut       | another    | RUNNING     |            |",
        "cut       | running    | RUNNING     |            | a:RUNNING",
        "cut       | subscribe  | RUNNING     | SUBSCRIBED | a:DROPPED:AGENT_RESTARTED",
        "cut       | shutdown   | TERMINATING |            |",
        "cut       | ends       | TERMINATED  |            | a:FAILED:EXECUTOR_TERMINATED",
        // It was asked to end.
        "ending    | kill       | TERMINATING |            |",
        "ending    | message    | TERMINATING |            |",
        "ending    | shutdown   | TERMINATING |            |",
        "ending    | killed     | TERMINATING | ACKNOWLEDGED | a:KILLED",
        "ending    | subscribe  | TERMINATING | SHUTDOWN   |",
        "ending    | grace      | TERMINATING |           | | destroyed",
        "ending    | ends       | TERMINATED  |            | a:FAILED:EXECUTOR_TERMINATED",
        // It is gone; its container was destroyed with that.
        "over      | message    | TERMINATED  |           | | destroyed",
        "over      | shutdown   | TERMINATED  |           | | destroyed",
        "over      | grace      | TERMINATED  |           | | destroyed",
        "over      | subscribe  | TERMINATED  | SHUTDOWN  | | destroyed"
      })
  void everyStateWithEveryEvent(String row) {
    List<String> columns = Stream.of(row.split("\\|")).map(String::strip).toList();
    String state = columns.get(0);
    Phase after = Phase.valueOf(columns.get(2));
    List<String> sent = words(columns, 3);
    List<String> told = words(columns, 4);
    Optional<Connection> before = reach(state);
    Connection connection = before.orElseGet(Connection::new);
    switch (columns.get(1)) {
      case "kill" -> kill("a");
      case "shutdown" -> executor.shutdown(ExecutorBench.GRACE);
      case "subscribe" -> connection = ExecutorBench.subscribe(executor);
      case "message" -> executor.message(ByteString.copyFromUtf8("m"));
      case "another" -> ExecutorBench.give(executor, "b");
      case "running" -> run().update(ExecutorBench.status("a", TaskState.TASK_RUNNING, "u"));
      case "finished" -> run().update(ExecutorBench.status("a", TaskState.TASK_FINISHED, "u"));
      case "killed" -> run().update(ExecutorBench.status("a", TaskState.TASK_KILLED, "u"));
      case "register" -> bench.elapse(ExecutorBench.REGISTRATION);
      case "grace" -> bench.elapse(ExecutorBench.GRACE);
      case "fails" -> bench.containers.fails("no");
      case "ends" -> bench.containers.ends(Termination.of(256));
      case "limit" ->
          bench.containers.ends(
              Termination.of(9)
                  .because(
                      new Containerizer.Limitation(
                          Resources.of(Resource.scalar("mem", 32)),
                          "REASON_CONTAINER_LIMITATION_MEMORY",
                          "too much")));
      default -> throw new IllegalArgumentException(row);
    }
    assertThat(executor.phase()).isEqualTo(after);
    assertThat(connection.types().stream().map(Event.Type::name).toList()).isEqualTo(sent);
    assertThat(bench.words()).isEqualTo(told);
    if (after == Phase.TERMINATED || words(columns, 5).contains("destroyed")) {
      assertThat(bench.containers.destroyed).contains("c");
    } else {
      assertThat(bench.containers.destroyed).isEmpty();
    }
    if (after == Phase.TERMINATED) {
      assertThat(bench.exited).hasSize(1);
      assertThat(bench.settled).containsExactly(executor);
      assertThat(bench.usage.of("cpus")).isZero();
    } else {
      assertThat(bench.exited).isEmpty();
    }
  }

  private static List<String> words(List<String> columns, int column) {
    return columns.size() <= column || columns.get(column).isEmpty()
        ? List.of()
        : List.of(columns.get(column).split(" "));
  }

  @Test
  void aContainerBeginsWithTheResourcesOfTheExecutorAndItsFirstTasks() throws Exception {
    Batch slow = new Batch(List.of(new AgentTask(executor, ExecutorBench.task("a"), none())));
    executor.enqueue(slow);
    ExecutorBench.give(executor, "b");
    assertThat(bench.containers.requests).isEmpty();
    executor.ready(slow, java.util.Map.of("HOOKED", "yes"));
    LaunchRequest request = bench.containers.requests.get(0);
    assertThat(request.resources().scalar("cpus")).isEqualTo(2100);
    assertThat(request.environment())
        .containsEntry("MESOS_EXECUTOR_ID", "e")
        .containsEntry("MESOS_FRAMEWORK_ID", "f")
        .containsEntry("MESOS_SLAVE_ID", "s")
        .containsEntry("MESOS_AGENT_ENDPOINT", "10.0.0.1:5051")
        .containsEntry("MESOS_SLAVE_PID", "slave(1)@10.0.0.1:5051")
        .containsEntry("MESOS_CHECKPOINT", "0")
        .containsEntry("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs")
        .containsEntry("HOOKED", "yes")
        .doesNotContainKeys("MESOS_TASK_ID", "MESOS_RECOVERY_TIMEOUT");
    assertThat(bench.usage.of("cpus")).isCloseTo(2.1, within(1e-9));
    bench.containers.starts();
    Connection connection = ExecutorBench.subscribe(executor);
    assertThat(connection.types())
        .containsExactly(Event.Type.SUBSCRIBED, Event.Type.LAUNCH, Event.Type.LAUNCH);
    assertThat(connection.events.get(1).getLaunch().getTask().getTaskId().getValue())
        .isEqualTo("a");
  }

  private static TaskVolumes none() {
    return TaskVolumes.NONE;
  }

  @Test
  void tellsAnUpdateAsTheExecutorGaveItWithWhatTheAgentKnowsBetter() {
    connected("a");
    bench.told();
    run()
        .update(
            ExecutorBench.status("a", TaskState.TASK_RUNNING, "u").toBuilder()
                .setMessage("m")
                .setData(ByteString.copyFromUtf8("d"))
                .build());
    TaskStatus told = bench.told().get(0);
    assertThat(told.getUuid())
        .isEqualTo(ExecutorBench.status("a", TaskState.TASK_RUNNING, "u").getUuid());
    assertThat(told.getAgentId()).isEqualTo(ExecutorBench.AGENT);
    assertThat(told.getMessage()).isEqualTo("m");
    assertThat(told.getData().toStringUtf8()).isEqualTo("d");
    assertThat(told.hasExecutorId()).isFalse();
    assertThat(told.getTimestamp()).isPositive();
    assertThat(told.getContainerStatus().getContainerId().getValue()).isEqualTo("c");
    assertThat(told.getContainerStatus().getExecutorPid()).isEqualTo(42);
    assertThat(told.getContainerStatus().getNetworkInfos(0).getIpAddresses(0).getIpAddress())
        .isEqualTo("10.0.0.1");
  }

  @Test
  void aConnectionReplacesTheOneBeforeAndIsToldOnlyWhatIsNotKnown() {
    Connection first = connected("a", "b");
    run().update(ExecutorBench.status("a", TaskState.TASK_RUNNING, "1"));
    assertThat(bench.words()).containsExactly("a:RUNNING");
    Call.Subscribe again =
        Call.Subscribe.newBuilder()
            .addUnacknowledgedTasks(ExecutorBench.task("b"))
            .addUnacknowledgedUpdates(update("a", TaskState.TASK_RUNNING, "1"))
            .addUnacknowledgedUpdates(update("b", TaskState.TASK_STARTING, "2"))
            .build();
    Connection second = ExecutorBench.subscribe(executor, again);
    assertThat(first.ended).isTrue();
    assertThat(second.types())
        .containsExactly(Event.Type.SUBSCRIBED, Event.Type.ACKNOWLEDGED, Event.Type.ACKNOWLEDGED);
    // The one that came before is not told twice.
    assertThat(bench.words()).containsExactly("b:STARTING");
    // What ends after it was replaced is nobody's connection any more.
    run().disconnected(first);
    assertThat(run().connected()).isTrue();
  }

  private static Call.Update update(String task, TaskState state, String uuid) {
    return Call.Update.newBuilder().setStatus(ExecutorBench.status(task, state, uuid)).build();
  }

  @Test
  void whatComesWhileItIsNotConnectedIsHandedOnOnceItIs() {
    Connection first = connected("a");
    run().update(ExecutorBench.status("a", TaskState.TASK_RUNNING, "1"));
    run().disconnected(first);
    ExecutorBench.give(executor, "b");
    executor.kill(
        task("a"),
        KillPolicy.newBuilder()
            .setGracePeriod(DurationInfo.newBuilder().setNanoseconds(7))
            .build());
    assertThat(executor.message(ByteString.EMPTY)).isFalse();
    Connection second = ExecutorBench.subscribe(executor);
    assertThat(second.types())
        .containsExactly(Event.Type.SUBSCRIBED, Event.Type.KILL, Event.Type.LAUNCH);
    assertThat(second.events.get(1).getKill().getTaskId().getValue()).isEqualTo("a");
    assertThat(second.events.get(1).getKill().getKillPolicy().getGracePeriod().getNanoseconds())
        .isEqualTo(7);
  }

  @Test
  void killOfOneOfAGroupThatWaitsKillsTheGroup() {
    ExecutorBench.give(executor, "a");
    ExecutorBench.give(executor, "b", "c");
    kill("c");
    assertThat(bench.words())
        .containsExactly(
            "b:KILLED:TASK_KILLED_DURING_LAUNCH", "c:KILLED:TASK_KILLED_DURING_LAUNCH");
    bench.containers.starts();
    assertThat(ExecutorBench.subscribe(executor).types())
        .containsExactly(Event.Type.SUBSCRIBED, Event.Type.LAUNCH);
  }

  @Test
  void aGroupIsLaunchedByOneEvent() {
    Connection connection = connected("a");
    ExecutorBench.group(executor, info -> {}, "b", "c");
    Event last = connection.events.get(connection.events.size() - 1);
    assertThat(last.getType()).isEqualTo(Event.Type.LAUNCH_GROUP);
    assertThat(last.getLaunchGroup().getTaskGroup().getTasksCount()).isEqualTo(2);
  }

  @Test
  void oneThatNeverGotATaskIsEndedWhenItSubscribes() {
    ExecutorBench.give(executor, "a");
    bench.containers.starts();
    kill("a");
    assertThat(executor.phase()).isEqualTo(Phase.TERMINATING);
    Connection connection = ExecutorBench.subscribe(executor);
    assertThat(connection.types()).containsExactly(Event.Type.SHUTDOWN);
    assertThat(connection.ended).isTrue();
    bench.elapse(ExecutorBench.GRACE);
    assertThat(bench.containers.destroyed).containsExactly("c");
  }

  @Test
  void whoDoesNotRegisterIsDestroyedAndItsTasksSayWhy() {
    ExecutorBench.give(executor, "a");
    bench.containers.starts();
    bench.elapse(ExecutorBench.REGISTRATION);
    bench.containers.ends(Termination.of(9));
    TaskStatus told = bench.told().get(0);
    assertThat(told.getReason()).isEqualTo(TaskStatus.Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT);
    assertThat(told.getMessage())
        .startsWith("Executor did not register within 1mins: its process 42 runs");
    assertThat(bench.exited).containsExactly("e:9");
  }

  @Test
  void itsOwnGraceCountsBeforeTheAgents() {
    executor =
        bench.custom(
            ExecutorInfo.newBuilder()
                .setShutdownGracePeriod(DurationInfo.newBuilder().setNanoseconds(90_000_000_000L)));
    connected("a");
    executor.shutdown(executor.grace());
    bench.elapse(ExecutorBench.GRACE);
    assertThat(bench.containers.destroyed).isEmpty();
    bench.elapse(Duration.ofSeconds(90));
    assertThat(bench.containers.destroyed).containsExactly("c");
    assertThat(bench.containers.requests.get(0).environment())
        .containsEntry("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "90secs");
  }

  @Test
  void anUpdateOfAnUnknownTaskIsHandedOnAndOneOfAnEndedTaskOnlyAcknowledged() {
    Connection connection = connected("a");
    run().update(ExecutorBench.status("a", TaskState.TASK_FINISHED, "1"));
    assertThat(bench.words()).containsExactly("a:FINISHED");
    connection.events.clear();
    run().update(ExecutorBench.status("a", TaskState.TASK_FAILED, "2"));
    assertThat(bench.words()).isEmpty();
    run().update(ExecutorBench.status("nobody", TaskState.TASK_RUNNING, "3"));
    TaskStatus told = bench.told().get(0);
    assertThat(told.getTaskId().getValue()).isEqualTo("nobody");
    assertThat(told.hasContainerStatus()).isFalse();
    assertThat(connection.types())
        .containsExactly(Event.Type.ACKNOWLEDGED, Event.Type.ACKNOWLEDGED);
  }

  @Test
  void remembersTheNewestOfTheTasksThatEnded() {
    Connection connection = connected("first");
    List<String> ids = new ArrayList<>(List.of("first"));
    for (int i = 0; i < AgentExecutor.MOST_COMPLETED_TASKS + 5; i++) {
      ids.add("t" + i);
      ExecutorBench.give(executor, "t" + i);
    }
    for (String id : ids) {
      run().update(ExecutorBench.status(id, TaskState.TASK_FINISHED, id));
    }
    bench.told();
    assertThat(executor.tasks()).isEmpty();
    assertThat(executor.view().completedTasks())
        .hasSize(AgentExecutor.MOST_COMPLETED_TASKS)
        .last()
        .extracting(it -> it.getTaskId().getValue())
        .isEqualTo(ids.get(ids.size() - 1));
    assertThat(bench.usage.of("cpus")).isCloseTo(0.1, within(1e-9));
    assertThat(connection.ended).isFalse();
    assertThat(executor.phase()).isEqualTo(Phase.RUNNING);
  }

  @Test
  void theEndOfAFrameworkIsToldToNobody() {
    Connection connection = connected("a");
    bench.framework.terminating = true;
    executor.shutdown(executor.grace());
    assertThat(connection.types()).contains(Event.Type.SHUTDOWN);
    run().update(ExecutorBench.status("a", TaskState.TASK_KILLED, "1"));
    bench.containers.ends(Termination.of(0));
    assertThat(bench.words()).isEmpty();
    assertThat(bench.settled).containsExactly(executor);
    assertThat(bench.usage.of("cpus")).isZero();
  }

  @Test
  void aCommandIsAskedToEndOnceAndDestroyedAfterTheShortestGrace() {
    AgentExecutor command = bench.command(ExecutorBench.task("t"));
    executor = command;
    ExecutorBench.give(command, "t");
    assertThat(bench.words()).isEqualTo(List.of());
    bench.containers.starts();
    assertThat(bench.words()).containsExactly("t:STARTING", "t:RUNNING");
    assertThat(command.phase()).isEqualTo(Phase.RUNNING);
    kill("t");
    kill("t");
    assertThat(bench.containers.signals).containsExactly(15);
    bench.elapse(Duration.ofSeconds(3));
    assertThat(bench.containers.destroyed).containsExactly("c");
    bench.containers.ends(Termination.of(9));
    assertThat(bench.exited).isEmpty();
    assertThat(bench.words()).contains("t:KILLED");
  }

  /** The agent that saw it run was killed before it could say so. */
  @Test
  void aCommandThatEndedUnderNobodysEyesIsToldToHaveRun() {
    AgentExecutor command = bench.command(ExecutorBench.task("t"));
    AgentTask task = new AgentTask(command, ExecutorBench.task("t"), TaskVolumes.NONE);
    Containerizer.Recovered left =
        new Containerizer.Recovered(
            ContainerId.of("c"),
            false,
            OptionalLong.empty(),
            CompletableFuture.completedStage(Termination.of(3 << 8)));
    command.resume(List.of(task), id -> Optional.of(left), "nothing is left");
    assertThat(bench.told())
        .extracting(TaskStatus::getState)
        .containsExactly(TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FAILED);
  }
}
