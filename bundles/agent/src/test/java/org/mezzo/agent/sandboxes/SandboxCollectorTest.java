package org.mezzo.agent.sandboxes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;

class SandboxCollectorTest {
  @TempDir Path folder;

  @Test
  void deletesWhatIsOldEnoughWithTheFoldersAboveIt() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    SandboxRun one = new SandboxRun("a", "f", "e", "one");
    SandboxRun two = new SandboxRun("a", "f", "e", "two");
    Path first = paths.of(one);
    Path second = paths.of(two);
    assertThat(paths.at(first)).contains(one);
    assertThat(paths.at(first.resolve("stdout"))).isEmpty();
    assertThat(paths.at(first.resolveSibling("x").getParent())).isEmpty();
    SandboxPaths.create(first);
    SandboxPaths.create(second);
    assertThat(first.resolveSibling("latest").toRealPath()).isEqualTo(second.toRealPath());
    Files.writeString(first.resolve("stdout"), "x");
    Path outside = Files.writeString(folder.resolve("outside"), "kept");
    Files.createSymbolicLink(first.resolve("link"), outside);

    MetricsRegistry metrics = new MetricsRegistry();
    List<SandboxRun> removed = new ArrayList<>();
    // Nothing may be kept at all: every sandbox is due.
    try (SandboxCollector collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofDays(1)),
            Clock.systemUTC(),
            metrics,
            path -> false,
            removed::add)) {
      collector.schedule(one);
      collector.collect();
      assertThat(first).doesNotExist();
      assertThat(second).exists();
      assertThat(outside).exists();
      collector.schedule(two);
      collector.collect();
    }
    assertThat(paths.agent("a")).isEmptyDirectory();
    assertThat(removed).containsExactly(one, two);
    assertThat(metrics.snapshot()).containsEntry("gc/path_removals_succeeded", 2.0);
  }

  @Test
  void keepsWhatIsYoung() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    SandboxRun one = new SandboxRun("a", "f", "e", "one");
    Path run = paths.of(one);
    SandboxPaths.create(run);
    MetricsRegistry metrics = new MetricsRegistry();
    try (SandboxCollector collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(7), -10, Duration.ofDays(1)),
            Clock.systemUTC(),
            metrics,
            path -> false,
            path -> {})) {
      collector.schedule(one);
      collector.collect();
      assertThat(run).exists();
      assertThat(metrics.snapshot()).containsEntry("gc/path_removals_pending", 1.0);
    }
  }

  @Test
  void keepsWhatIsInUseHoweverFullTheDiskIs() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    SandboxRun runs = new SandboxRun("a", "f", "running", "one");
    SandboxRun leaves = new SandboxRun("a", "f", "left", "two");
    SandboxRun ended = new SandboxRun("a", "f", "old", "three");
    Path running = paths.of(runs);
    Path left = paths.of(leaves);
    Path old = paths.of(ended);
    for (Path run : List.of(running, left, old)) {
      SandboxPaths.create(run);
    }
    List<SandboxRun> removed = new CopyOnWriteArrayList<>();
    // Nothing may be kept at all, and everything there is gets scheduled, as at a start.
    try (SandboxCollector collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofMillis(10)),
            Clock.systemUTC(),
            new MetricsRegistry(),
            leaves::equals,
            removed::add)) {
      collector.unschedule(runs);
      collector.start();
      Await.until("something is removed", () -> !removed.isEmpty());
      collector.collect();
      assertThat(removed).containsExactly(ended);
      assertThat(running).exists();
      assertThat(left).as("a container of an earlier process is in it").exists();

      collector.schedule(runs);
      collector.collect();
      assertThat(running).doesNotExist();
    }
  }
}
