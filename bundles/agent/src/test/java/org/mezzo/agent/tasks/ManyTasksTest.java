package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.Termination;
import org.mezzo.files.TreeDeletion;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.TaskInfo;

/**
 * An agent that runs short tasks for weeks: what it keeps in memory of each that is over. {@code
 * -Dmezzo.tasks.many=1000000} drives a million through it.
 */
@Timeout(600)
class ManyTasksTest {
  private static final int MANY =
      Integer.getInteger("mezzo.tasks.many", TaskSandboxes.MOST_PAST + 20_000);

  private Path folder;

  @AfterEach
  void delete() throws Exception {
    TreeDeletion.delete(folder);
  }

  @Test
  void memoryDoesNotGrowWithTasksThatAreOver() throws Exception {
    // Every task has a sandbox, which a disk would take its time for.
    Path memory = Path.of("/dev/shm");
    folder =
        Files.isWritable(memory)
            ? Files.createTempDirectory(memory, "mezzo-many")
            : Files.createTempDirectory("mezzo-many");
    try (ExecutorBench bench =
        new ExecutorBench(
            folder, ExecutorBench.FRAMEWORK.toBuilder().setCheckpoint(true).build())) {
      // Until all that is bounded is full.
      int full = TaskSandboxes.MOST_PAST + 1000;
      run(bench, 0, full);
      long before = heap();
      run(bench, full, MANY);
      double each = (double) (heap() - before) / (MANY - full);
      System.out.printf(
          "Of %d tasks that are over an agent keeps %.1f bytes each in memory%n", MANY, each);
      assertThat(each).isLessThan(40);
      assertThat(bench.host.sandboxes().shown()).isEqualTo(TaskSandboxes.MOST_PAST);
    }
  }

  private static void run(ExecutorBench bench, int from, int to) {
    for (int i = from; i < to; i++) {
      TaskInfo info =
          ExecutorBench.task("task-" + i).toBuilder()
              .setCommand(CommandInfo.newBuilder().setValue("true"))
              .build();
      AgentExecutor executor = bench.command(info);
      ExecutorBench.give(executor, List.of(new AgentTask(executor, info, TaskVolumes.NONE)));
      bench.containers.starts();
      bench.containers.ends(Termination.of(0));
      assertThat(bench.told()).isNotEmpty();
      bench.settled();
      bench.containers.clear();
    }
  }

  private static long heap() {
    Runtime runtime = Runtime.getRuntime();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      System.gc();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
