package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.Made;
import org.mezzo.agent.tasks.AgentExecutor.Phase;
import org.mezzo.agent.tasks.ExecutorBench.Connection;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.Termination;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/** Rule 319. */
class PreemptionTest {
  private static final Termination KILLED = Termination.of(9);

  @TempDir Path folder;
  private ExecutorBench bench;

  @BeforeEach
  void open() throws Exception {
    bench = new ExecutorBench(folder);
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private static TaskInfo lent(String id) {
    return ExecutorBench.task(id).toBuilder()
        .setCommand(CommandInfo.newBuilder().setValue("true"))
        .clearResources()
        .addResources(Made.revocable("cpus", 1))
        .build();
  }

  private static void give(AgentExecutor executor, TaskInfo info) {
    ExecutorBench.give(executor, List.of(new AgentTask(executor, info, TaskVolumes.NONE)));
  }

  private AgentExecutor command() {
    AgentExecutor executor = bench.command(lent("a"));
    give(executor, lent("a"));
    return executor;
  }

  @Test
  void aCommandIsDestroyedAtOnceAndGoneForThatReason() {
    AgentExecutor executor = command();
    bench.containers.starts();
    bench.told();
    assertThat(bench.usage.revocable("cpus")).isEqualTo(1);
    assertThat(bench.usage.of("cpus")).isZero();
    assertThat(executor.preempt("too much load")).isTrue();
    assertThat(bench.containers.destroyed).contains("c");
    assertThat(bench.containers.signals).as("no grace").isEmpty();
    assertThat(executor.preempt("too much load")).as("it is to end already").isFalse();
    bench.containers.ends(KILLED);
    List<TaskStatus> told = bench.told();
    assertThat(told).hasSize(1);
    TaskStatus status = told.get(0);
    assertThat(status.getState()).isEqualTo(TaskState.TASK_GONE);
    assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_CONTAINER_PREEMPTED);
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_AGENT);
    assertThat(status.getExecutorId().getValue()).isEqualTo("a");
    assertThat(status.getMessage())
        .isEqualTo("Container preempted by QoS correction: too much load");
    assertThat(executor.phase()).isEqualTo(Phase.TERMINATED);
    assertThat(bench.usage.revocable("cpus")).isZero();
  }

  @Test
  void aFrameworkThatDoesNotKnowGoneTasksIsToldThatTheyAreLost() throws Exception {
    close();
    bench =
        new ExecutorBench(
            folder, FrameworkInfo.newBuilder(bench.framework.info).clearCapabilities().build());
    AgentExecutor executor = command();
    bench.containers.starts();
    bench.told();
    executor.preempt("load");
    bench.containers.ends(KILLED);
    assertThat(bench.words()).containsExactly("a:LOST:CONTAINER_PREEMPTED");
  }

  @Test
  void aCommandWhoseContainerIsBeingMadeIsPreemptedToo() {
    AgentExecutor executor = command();
    assertThat(executor.preempt("load")).isTrue();
    assertThat(bench.containers.destroyed).contains("c");
    bench.told();
    bench.containers.fails("it was destroyed");
    assertThat(bench.words()).containsExactly("a:GONE:CONTAINER_PREEMPTED");
  }

  @Test
  void whatWasKilledBeforeEndsAtOnceAsKilled() {
    AgentExecutor executor = command();
    bench.containers.starts();
    executor.kill(executor.tasks().iterator().next(), KillPolicy.getDefaultInstance());
    bench.told();
    assertThat(bench.containers.destroyed).as("it has its grace").isEmpty();
    assertThat(executor.preempt("load")).isTrue();
    assertThat(bench.containers.destroyed).contains("c");
    bench.containers.ends(KILLED);
    assertThat(bench.words()).containsExactly("a:KILLED");
  }

  @Test
  void whatHoldsNothingRevocableIsNobodysToPreempt() {
    AgentExecutor executor = bench.command(ExecutorBench.task("a"));
    ExecutorBench.give(executor, "a");
    bench.containers.starts();
    assertThat(executor.preempt("load")).isFalse();
    assertThat(executor.phase()).isEqualTo(Phase.RUNNING);
    assertThat(bench.containers.destroyed).isEmpty();
  }

  @Test
  void tasksOfAGroupGoTogetherForTheSameReason() {
    AgentExecutor executor = bench.played();
    ExecutorBench.group(
        executor,
        info -> info.clearResources().addResources(Made.revocable("cpus", 1)),
        "a",
        "b",
        "c");
    bench.containers.starts(0);
    bench.containers.starts(1);
    bench.told();
    assertThat(executor.preempt("load")).isTrue();
    assertThat(bench.containers.destroyed).hasSize(3);
    bench.containers.ends(1, KILLED);
    bench.containers.ends(0, KILLED);
    bench.containers.fails(2, "it was destroyed");
    assertThat(bench.words())
        .containsExactly(
            "b:GONE:CONTAINER_PREEMPTED",
            "a:GONE:CONTAINER_PREEMPTED",
            "c:GONE:CONTAINER_PREEMPTED");
    assertThat(executor.phase()).isEqualTo(Phase.TERMINATED);
  }

  @Test
  void anExecutorOfAFrameworkGoesWithAllItsTasksLaunchedOrNot() {
    AgentExecutor executor = bench.custom();
    give(executor, lent("a"));
    bench.containers.starts();
    Connection connection = ExecutorBench.subscribe(executor);
    Batch waits =
        new Batch(List.of(new AgentTask(executor, ExecutorBench.task("b"), TaskVolumes.NONE)));
    executor.enqueue(waits);
    connection.events.clear();
    assertThat(executor.preempt("load")).isTrue();
    assertThat(connection.events).as("it is not asked").isEmpty();
    assertThat(bench.containers.destroyed).contains("c");
    bench.containers.ends(KILLED);
    assertThat(bench.words())
        .containsExactlyInAnyOrder("a:GONE:CONTAINER_PREEMPTED", "b:GONE:CONTAINER_PREEMPTED");
    assertThat(bench.exited).hasSize(1);
  }

  @Test
  void anExecutorWhoseContainerIsBeingMadeGoesForTheSameReason() {
    AgentExecutor executor = bench.custom();
    give(executor, lent("a"));
    executor.preempt("load");
    bench.containers.fails("it was destroyed");
    assertThat(bench.words()).containsExactly("a:GONE:CONTAINER_PREEMPTED");
  }

  @Test
  void anExecutorOfWhichNothingBeganIsGoneAtOnce() {
    AgentExecutor executor = bench.custom();
    executor.enqueue(new Batch(List.of(new AgentTask(executor, lent("a"), TaskVolumes.NONE))));
    assertThat(executor.task(TaskID.newBuilder().setValue("a").build())).isPresent();
    assertThat(executor.preempt("load")).isTrue();
    assertThat(bench.words()).containsExactly("a:GONE:CONTAINER_PREEMPTED");
    assertThat(executor.phase()).isEqualTo(Phase.TERMINATED);
  }
}
