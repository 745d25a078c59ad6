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
    Path first = paths.run("a", "f", "e", "one");
    Path second = paths.run("a", "f", "e", "two");
    SandboxPaths.create(first);
    SandboxPaths.create(second);
    assertThat(first.resolveSibling("latest").toRealPath()).isEqualTo(second.toRealPath());
    Files.writeString(first.resolve("stdout"), "x");
    Path outside = Files.writeString(folder.resolve("outside"), "kept");
    Files.createSymbolicLink(first.resolve("link"), outside);

    MetricsRegistry metrics = new MetricsRegistry();
    List<Path> removed = new ArrayList<>();
    // Nothing may be kept at all: every sandbox is due.
    try (SandboxCollector collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofDays(1)),
            Clock.systemUTC(),
            metrics,
            path -> false,
            removed::add)) {
      collector.schedule(first);
      collector.collect();
      assertThat(first).doesNotExist();
      assertThat(second).exists();
      assertThat(outside).exists();
      collector.schedule(second);
      collector.collect();
    }
    assertThat(paths.agent("a")).isEmptyDirectory();
    assertThat(removed).containsExactly(first, second);
    assertThat(metrics.snapshot()).containsEntry("gc/path_removals_succeeded", 2.0);
  }

  @Test
  void keepsWhatIsYoung() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    Path run = paths.run("a", "f", "e", "one");
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
      collector.schedule(run);
      collector.collect();
      assertThat(run).exists();
      assertThat(metrics.snapshot()).containsEntry("gc/path_removals_pending", 1.0);
    }
  }

  @Test
  void keepsWhatIsInUseHoweverFullTheDiskIs() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    Path running = paths.run("a", "f", "running", "one");
    Path left = paths.run("a", "f", "left", "two");
    Path old = paths.run("a", "f", "old", "three");
    for (Path run : List.of(running, left, old)) {
      SandboxPaths.create(run);
    }
    List<Path> removed = new CopyOnWriteArrayList<>();
    // Nothing may be kept at all, and everything there is gets scheduled, as at a start.
    try (SandboxCollector collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofMillis(10)),
            Clock.systemUTC(),
            new MetricsRegistry(),
            left::equals,
            removed::add)) {
      collector.unschedule(running);
      collector.start(paths);
      Await.until("something is removed", () -> !removed.isEmpty());
      collector.collect();
      assertThat(removed).containsExactly(old);
      assertThat(running).exists();
      assertThat(left).as("a container of an earlier process is in it").exists();

      collector.schedule(running);
      collector.collect();
      assertThat(running).doesNotExist();
    }
  }
}
