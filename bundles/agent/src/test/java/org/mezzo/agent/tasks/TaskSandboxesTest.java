package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.volumes.TaskVolumes;

class TaskSandboxesTest {
  @TempDir Path folder;

  @Test
  void showsEachRunAndTheNewestAsTheLatest() throws Exception {
    try (ExecutorBench bench = new ExecutorBench(folder)) {
      AgentExecutor first = bench.custom("zzz");
      AgentExecutor second = bench.custom("aaa");
      TaskSandboxes sandboxes = bench.host.sandboxes();
      sandboxes.show(first, Optional.of("u"), TaskVolumes.NONE);
      sandboxes.show(second, Optional.of("v"), TaskVolumes.NONE);
      String runs = "/frameworks/f/executors/e/runs/";
      assertThat(sandboxes.at(runs + "zzz").orElseThrow().real()).isEqualTo(first.sandbox);
      assertThat(sandboxes.at(runs + "aaa").orElseThrow().real()).isEqualTo(second.sandbox);
      assertThat(sandboxes.at(runs + "latest").orElseThrow().real()).isEqualTo(second.sandbox);
      assertThat(sandboxes.at(first.sandbox.toString()).orElseThrow().real())
          .isEqualTo(first.sandbox);
      assertThat(sandboxes.at(first.sandbox.resolveSibling("latest").toString())).isEmpty();
      assertThat(sandboxes.at(runs + "other")).isEmpty();
      assertThat(sandboxes.at("/frameworks/f/executors/x/runs/latest")).isEmpty();
      assertThat(sandboxes.at(runs)).isEmpty();
      assertThat(bench.files.attached())
          .containsOnlyKeys(
              first.sandbox.toString(),
              second.sandbox.toString(),
              runs + "aaa",
              runs + "zzz",
              runs + "latest");
      sandboxes.forget(second.run);
      assertThat(sandboxes.at(runs + "latest").orElseThrow().real()).isEqualTo(first.sandbox);
      sandboxes.forget(first.run);
      assertThat(bench.files.attached()).isEmpty();
    }
  }

  /** What stays of a task until its sandbox is deleted has to be small, for there are many. */
  @Test
  void littleIsKeptOfAnExecutorThatIsOver() throws Exception {
    try (ExecutorBench bench = new ExecutorBench(folder)) {
      int many = 20_000;
      long before = heap();
      for (int i = 0; i < many; i++) {
        AgentExecutor executor = bench.custom(UUID.randomUUID().toString());
        bench.host.sandboxes().show(executor, executor.user(), TaskVolumes.NONE);
        bench.host.sandboxes().leave(executor.run);
      }
      bench.framework.executors.clear();
      long each = (heap() - before) / many;
      assertThat(each).as("bytes for each").isBetween(50L, 600L);
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
