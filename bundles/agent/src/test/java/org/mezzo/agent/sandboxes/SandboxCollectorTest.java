package org.mezzo.agent.sandboxes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.daemon.MetricsRegistry;

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
            Duration.ofDays(7),
            1.0,
            Duration.ofDays(1),
            Clock.systemUTC(),
            metrics,
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
            Duration.ofDays(7),
            -10,
            Duration.ofDays(1),
            Clock.systemUTC(),
            metrics,
            path -> {})) {
      collector.schedule(run);
      collector.collect();
      assertThat(run).exists();
      assertThat(metrics.snapshot()).containsEntry("gc/path_removals_pending", 1.0);
    }
  }
}
