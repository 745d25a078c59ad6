package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.Made;
import org.mezzo.agent.tasks.ExecutorBench.Connection;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer.Recovered;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.Termination;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.executor.Event;
import org.mezzo.resources.Resources;

/** How the container of an executor of 0.1 cpus follows its tasks of 1 cpu each. */
class ContainerRoomTest {
  @TempDir Path folder;
  private ExecutorBench bench;
  private AgentExecutor executor;
  private List<String> changes;

  @BeforeEach
  void open() throws Exception {
    bench = new ExecutorBench(folder);
    executor = bench.custom();
    changes = bench.containers.changes;
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private HttpRun run() {
    return (HttpRun) executor.runner();
  }

  private Connection connected() {
    ExecutorBench.give(executor, "first");
    bench.containers.starts();
    Connection connection = ExecutorBench.subscribe(executor);
    connection.events.clear();
    return connection;
  }

  private void ends(String task) {
    run().update(ExecutorBench.status(task, TaskState.TASK_FINISHED, "end of " + task));
  }

  private void kill(String task) {
    executor.kill(
        executor.task(TaskID.newBuilder().setValue(task).build()).orElseThrow(),
        KillPolicy.getDefaultInstance());
  }

  /** A task with a volume whose directory is there. */
  private AgentTask withVolume(String id, String volume, String path) throws Exception {
    TaskInfo info =
        ExecutorBench.task(id).toBuilder()
            .addResources(Made.volume(volume, 1, "eng", path))
            .build();
    TaskVolumes volumes =
        TaskVolumes.of(
            Resources.of(info.getResourcesList()).unallocated(),
            new VolumeStore(folder, unused -> {}),
            Optional.empty());
    for (TaskVolumes.Mounted mounted : volumes.volumes()) {
      Files.createDirectories(mounted.directory());
    }
    return new AgentTask(executor, info, volumes);
  }

  @Test
  void growsBeforeATaskComesAndShrinksAfterOneHasEnded() {
    Connection connection = connected();
    assertThat(changes).as("it has begun with what its first task needs").isEmpty();

    CompletableFuture<Void> grown = new CompletableFuture<>();
    bench.containers.changing = grown;
    ExecutorBench.give(executor, "second");
    assertThat(changes).containsExactly("2.1");
    assertThat(connection.events).isEmpty();
    grown.complete(null);
    assertThat(connection.types()).containsExactly(Event.Type.LAUNCH);

    ends("first");
    assertThat(changes).containsExactly("2.1", "1.1");
    ends("second");
    assertThat(changes).containsExactly("2.1", "1.1", "0.1");
  }

  @Test
  void limitsOfTasksAddUpWhereOneHasAny() {
    connected();
    TaskInfo limited =
        ExecutorBench.task("second").toBuilder()
            .putLimits("cpus", Value.Scalar.newBuilder().setValue(3).build())
            .build();
    ExecutorBench.give(executor, List.of(new AgentTask(executor, limited, TaskVolumes.NONE)));
    ends("second");
    assertThat(changes).containsExactly("2.1 up to 4.1", "1.1");
  }

  @Test
  void aTaskIsGoneWhereTheContainerDoesNotGrowAndTheOthersStay() {
    Connection connection = connected();
    bench.words();
    bench.containers.changing = CompletableFuture.failedFuture(new LaunchException("no more"));
    ExecutorBench.give(executor, "second");
    assertThat(bench.words()).containsExactly("second:GONE:CONTAINER_UPDATE_FAILED");
    assertThat(connection.events).isEmpty();
    assertThat(executor.phase()).isEqualTo(AgentExecutor.Phase.RUNNING);
    assertThat(bench.containers.destroyed).isEmpty();

    bench.containers.changing = CompletableFuture.completedFuture(null);
    ExecutorBench.give(executor, "third");
    assertThat(changes).endsWith("2.1");
    assertThat(connection.types()).containsExactly(Event.Type.LAUNCH);
  }

  @Test
  void aTaskThatIsKilledWhileTheContainerGrowsNeverComes() {
    Connection connection = connected();
    CompletableFuture<Void> grown = new CompletableFuture<>();
    bench.containers.changing = grown;
    ExecutorBench.give(executor, "second");
    kill("second");
    assertThat(bench.words()).contains("second:KILLED:TASK_KILLED_DURING_LAUNCH");
    bench.containers.changing = CompletableFuture.completedFuture(null);
    grown.complete(null);
    assertThat(connection.events).isEmpty();
    assertThat(changes).containsExactly("2.1", "1.1");
  }

  @Test
  void nothingIsAskedOfAContainerThatIsGone() {
    connected();
    bench.containers.ends(Termination.of(0));
    assertThat(changes).isEmpty();
  }

  @Test
  void volumesAppearBeforeATaskComesAndDisappearWithTheLastThatHasThem() throws Exception {
    Connection connection = connected();
    ExecutorBench.give(executor, List.of(withVolume("second", "v", "data")));
    assertThat(changes).containsExactly("+data", "2.1");
    assertThat(connection.types()).containsExactly(Event.Type.LAUNCH);
    ExecutorBench.give(executor, List.of(withVolume("third", "v", "data")));
    ends("second");
    assertThat(changes).containsExactly("+data", "2.1", "3.1", "2.1");
    ends("third");
    assertThat(changes).endsWith("-data", "1.1");
  }

  @Test
  void aVolumeThatDoesNotFitFailsOnlyItsTask() throws Exception {
    Connection connection = connected();
    ExecutorBench.give(executor, List.of(withVolume("second", "v", "data")));
    bench.words();
    ExecutorBench.give(executor, List.of(withVolume("third", "w", "data/inner")));
    assertThat(bench.told())
        .singleElement()
        .satisfies(
            status -> {
              assertThat(status.getState()).isEqualTo(TaskState.TASK_FAILED);
              assertThat(status.getMessage()).contains("would appear inside each other");
            });
    AgentTask gone = withVolume("fourth", "x", "other");
    Files.delete(gone.volumes.volumes().get(0).directory());
    ExecutorBench.give(executor, List.of(gone));
    assertThat(bench.words()).containsExactly("fourth:FAILED:CONTAINER_LAUNCH_FAILED");
    assertThat(connection.types()).containsExactly(Event.Type.LAUNCH);
    assertThat(executor.phase()).isEqualTo(AgentExecutor.Phase.RUNNING);
  }

  @Test
  void whatAnEarlierAgentMayNotHaveDoneIsDoneAgain() throws Exception {
    AgentTask ended = withVolume("ended", "v", "data");
    ended.task = ended.task.toBuilder().setState(TaskState.TASK_FINISHED).build();
    AgentTask runs = withVolume("runs", "w", "more");
    executor.resume(
        List.of(ended, runs),
        id ->
            Optional.of(
                new Recovered(
                    ContainerId.of(id), true, OptionalLong.of(42), new CompletableFuture<>())),
        "why");
    assertThat(changes).containsExactly("-data", "1.1");
  }
}
