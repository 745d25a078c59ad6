package org.mezzo.agent.sandboxes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofDays(1), false),
            Clock.systemUTC(),
            metrics,
            Set::of,
            removed::add)) {
      collector.unschedule(two);
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
            new SandboxRetention(Duration.ofDays(7), -10, Duration.ofDays(1), false),
            Clock.systemUTC(),
            metrics,
            Set::of,
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
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofMillis(10), false),
            Clock.systemUTC(),
            new MetricsRegistry(),
            () -> Set.of("two"),
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

  /** Nothing of the disk's own fullness: an age is allowed that is a share of a week. */
  private SandboxCollector collector(
      Duration delay, boolean others, Clock clock, MetricsRegistry metrics, String... containers) {
    return new SandboxCollector(
        folder,
        new SandboxRetention(delay, -1, Duration.ofDays(1), others),
        clock,
        metrics,
        () -> Set.of(containers),
        run -> {});
  }

  private static Clock at(Instant time) {
    return Clock.fixed(time, ZoneOffset.UTC);
  }

  private static double pending(MetricsRegistry metrics) {
    return metrics.snapshot().get("gc/path_removals_pending");
  }

  private static void age(Path path, Instant time) throws Exception {
    Files.setLastModifiedTime(path, FileTime.from(time));
  }

  @Test
  void aSandboxCountsFromItsLastUseForTheNextProcessToo() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    SandboxRun run = new SandboxRun("a", "f", "e", "one");
    SandboxPaths.create(paths.of(run));
    Instant now = Instant.now();
    // Its container ran for a month.
    age(paths.of(run), now.minus(Duration.ofDays(30)));
    Duration hour = Duration.ofHours(1);
    MetricsRegistry first = new MetricsRegistry();
    try (SandboxCollector collector = collector(hour, false, at(now), first)) {
      collector.unschedule(run);
      collector.start();
      collector.schedule(run);
      Await.until("it is noted", () -> pending(first) == 1);
      collector.collect();
    }
    assertThat(paths.of(run)).exists();
    MetricsRegistry second = new MetricsRegistry();
    try (SandboxCollector collector = collector(hour, false, at(now), second)) {
      collector.start();
      Await.until("it is found", () -> pending(second) == 1);
      collector.collect();
      assertThat(paths.of(run)).exists();
    }
    // With half the disk free at least one and a half hours are allowed, and two at most.
    MetricsRegistry third = new MetricsRegistry();
    try (SandboxCollector collector =
        collector(hour, false, at(now.plus(Duration.ofHours(3))), third)) {
      collector.start();
      Await.until("it is found", () -> pending(third) == 1);
      collector.collect();
      Await.until("it is gone", () -> !Files.exists(paths.of(run)));
    }
  }

  @Test
  void whatIsNoExecutorsIsDeletedWhereThatIsAskedFor() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    SandboxRun run = new SandboxRun("a", "f", "pod", "runs");
    Path nested = paths.of(run).resolve("containers/ended");
    Path alive = paths.of(run).resolve("containers/alive");
    Path standalone = folder.resolve("containers/alone");
    for (Path each : List.of(nested, alive, standalone)) {
      Files.createDirectories(each);
      age(each, Instant.now().minus(Duration.ofDays(30)));
    }
    for (boolean others : new boolean[] {false, true}) {
      MetricsRegistry metrics = new MetricsRegistry();
      try (SandboxCollector collector =
          collector(Duration.ofHours(1), others, Clock.systemUTC(), metrics, "runs", "alive")) {
        collector.unschedule(run);
        collector.start();
        Await.until("they are found", () -> pending(metrics) == (others ? 2 : 0));
        collector.collect();
        assertThat(Files.exists(nested)).isEqualTo(!others);
        assertThat(Files.exists(standalone)).isEqualTo(!others);
        assertThat(alive).exists();
      }
    }
  }

  @Test
  void emptyFoldersOfEarlierProcessesGo() throws Exception {
    Path runs = folder.resolve("slaves/a/frameworks/f/executors/e/runs");
    Files.createDirectories(runs);
    Files.createSymbolicLink(runs.resolve("latest"), runs.resolve("gone"));
    try (SandboxCollector collector =
        collector(Duration.ofHours(1), false, Clock.systemUTC(), new MetricsRegistry())) {
      collector.start();
      Await.until("they are gone", () -> !Files.exists(folder.resolve("slaves/a/frameworks")));
    }
  }

  @Test
  void othersAreKeptAsOftenAsTheyAreUsed() throws Exception {
    Path sandbox = Files.createDirectories(folder.resolve("containers/alone"));
    MutableClock clock = new MutableClock();
    try (SandboxCollector collector =
        collector(Duration.ofHours(1), true, clock, new MetricsRegistry())) {
      collector.keepOther(sandbox);
      collector.scheduleOther(sandbox);
      // Somebody else has one of that name already.
      collector.keepOther(sandbox);
      collector.collect();
      clock.now = clock.now.plus(Duration.ofDays(30));
      collector.collect();
      assertThat(sandbox).exists();
      collector.scheduleOther(sandbox);
      collector.collect();
      assertThat(sandbox).exists();
      clock.now = clock.now.plus(Duration.ofDays(30));
      collector.collect();
      assertThat(sandbox).doesNotExist();
    }
  }

  /** What was noted of one of that name says nothing of the next one. */
  @Test
  void othersAreAsOldAsTheyAre() throws Exception {
    Path sandbox = Files.createDirectories(folder.resolve("containers/alone"));
    MutableClock clock = new MutableClock();
    try (SandboxCollector collector =
        collector(Duration.ofHours(1), true, clock, new MetricsRegistry())) {
      collector.scheduleOther(sandbox);
      collector.collect();
      clock.now = clock.now.plus(Duration.ofDays(30));
      Files.setLastModifiedTime(sandbox, FileTime.from(clock.now));
      collector.collect();
      assertThat(sandbox).exists();
      clock.now = clock.now.plus(Duration.ofDays(30));
      collector.collect();
      assertThat(sandbox).doesNotExist();
    }
  }

  /** The disk that is full is the one that the schedule is on. */
  @Test
  void whatCannotBeNotedIsFoundByLooking() throws Exception {
    SandboxPaths paths = new SandboxPaths(folder);
    SandboxRun run = new SandboxRun("a", "f", "e", "one");
    SandboxPaths.create(paths.of(run));
    Files.createDirectories(folder.resolve("meta"));
    Files.createFile(folder.resolve("meta/sandboxes"));
    MetricsRegistry metrics = new MetricsRegistry();
    try (SandboxCollector collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(7), 1.0, Duration.ofDays(1), false),
            Clock.systemUTC(),
            metrics,
            Set::of,
            gone -> {})) {
      collector.unschedule(run);
      collector.collect();
      assertThat(paths.of(run)).exists();
      collector.schedule(run);
      collector.collect();
      assertThat(paths.of(run)).doesNotExist();
    }
  }

  @Test
  void aScheduleHoldsNothingInMemory() throws Exception {
    SandboxSchedule schedule = new SandboxSchedule(folder, Duration.ofDays(7));
    schedule.clear();
    SandboxPaths paths = new SandboxPaths(folder);
    long began = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();
    int many = 200_000;
    long before = heap();
    for (int i = 0; i < many; i++) {
      schedule.add(
          paths.run("a", "f", "an executor % " + i, "container-" + i),
          began + i * Duration.ofDays(7).toMillis() / many);
    }
    schedule.flush();
    assertThat((double) (heap() - before) / many).isLessThan(5);
    assertThat(schedule.size()).isEqualTo(many);
    long[] taken = {0};
    schedule.take(began + Duration.ofDays(3).toMillis(), path -> taken[0]++);
    assertThat(taken[0]).isBetween((long) (many * 0.42), (long) (many * 0.43));
    Path[] last = new Path[1];
    schedule.take(Long.MAX_VALUE, path -> last[0] = path);
    assertThat(last[0])
        .isEqualTo(paths.run("a", "f", "an executor % " + (many - 1), "container-" + (many - 1)));
    assertThat(schedule.size()).isZero();
    try (var files = Files.list(folder.resolve("meta/sandboxes"))) {
      assertThat(files).isEmpty();
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

  private static final class MutableClock extends Clock {
    volatile Instant now = Instant.now();

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
