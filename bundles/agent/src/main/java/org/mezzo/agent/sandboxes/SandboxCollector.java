package org.mezzo.agent.sandboxes;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mezzo.api.Metrics;
import org.mezzo.files.TreeDeletion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes sandboxes some time after their last use, sooner when the disk fills (rules 335 and 336),
 * never those in use (rule 337). When a sandbox was used last is what its directory says, so that
 * it is known to later processes as well; memory holds nothing of it. Has a thread of its own. Safe
 * for any thread.
 */
public final class SandboxCollector implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxCollector.class);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  private final Path workDir;
  private final Duration delay;
  private final double headroom;
  private final Duration period;
  private final boolean others;
  private final Clock clock;
  private final SandboxPaths paths;
  private final Consumer<SandboxRun> removed;
  private final Supplier<Set<String>> containers;

  private final Set<SandboxRun> inUse = ConcurrentHashMap.newKeySet();

  /** Sandboxes of no executor that are used, and by how many; under its own lock. */
  private final Map<Path, Integer> othersInUse = new HashMap<>();

  /** What is being deleted right now, or null; under the same lock. */
  private Path deleting;

  /**
   * A sandbox that is not used any more.
   *
   * @param released whether somebody who used it says so, not just a look at it
   */
  private record Left(Path sandbox, boolean released) {}

  /** Those that are not used any more since a moment ago; empty but for moments. */
  private final Queue<Left> left = new ConcurrentLinkedQueue<>();

  private final AtomicBoolean noting = new AtomicBoolean();
  private final ScheduledExecutorService thread;
  private final Metrics.Counter succeeded;
  private final Metrics.Counter failed;
  private volatile double allowedAgeSeconds;
  private volatile double used;

  // Of the thread.
  private final SandboxSchedule schedule;

  /** Whether the schedule does not have all that there is. */
  private boolean incomplete = true;

  /**
   * Looks at nothing before {@link #start}.
   *
   * @param containers the last parts of the ids of all containers that may have processes, whoever
   *     launched them
   * @param removed told of each sandbox of an executor that was deleted
   */
  public SandboxCollector(
      Path workDir,
      SandboxRetention retention,
      Clock clock,
      Metrics metrics,
      Supplier<Set<String>> containers,
      Consumer<SandboxRun> removed) {
    this.workDir = workDir.toAbsolutePath();
    this.paths = new SandboxPaths(this.workDir);
    this.delay = retention.delay();
    this.headroom = retention.headroom();
    this.period = retention.period();
    this.others = retention.others();
    this.clock = clock;
    this.containers = containers;
    this.removed = removed;
    this.allowedAgeSeconds = delay.toSeconds();
    schedule = new SandboxSchedule(this.workDir, delay);
    succeeded = metrics.counter("gc/path_removals_succeeded");
    failed = metrics.counter("gc/path_removals_failed");
    metrics.gauge("gc/path_removals_pending", () -> schedule.size() + left.size());
    metrics.gauge("slave/executor_directory_max_allowed_age_secs", () -> allowedAgeSeconds);
    metrics.gauge("slave/mezzo/work_dir_disk_used", () -> used);
    thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread worker = new Thread(task, "sandbox-collector");
              worker.setDaemon(true);
              worker.setContextClassLoader(null);
              return worker;
            });
  }

  /** Begins to look, first at what earlier processes left, which counts from its last use. */
  public void start() {
    thread.execute(this::lookAnew);
    thread.scheduleWithFixedDelay(
        this::pass, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Keeps a sandbox that is about to be used, until it is scheduled (rule 337). */
  public void unschedule(SandboxRun sandbox) {
    inUse.add(sandbox);
  }

  /** Deletes the sandbox, which nobody uses any more, when its time has come, counted from now. */
  public void schedule(SandboxRun sandbox) {
    // In use until it is noted from when it counts, or a look in between would take it for old.
    leave(new Left(paths.of(sandbox), true));
  }

  /**
   * Keeps a sandbox that is no executor's and is about to be used, whoever had one there before,
   * until it is {@linkplain #scheduleOther scheduled} as often. Blocks while that is being deleted.
   */
  public void keepOther(Path sandbox) {
    if (!others) {
      return;
    }
    Path kept = sandbox.toAbsolutePath();
    synchronized (othersInUse) {
      othersInUse.merge(kept, 1, Integer::sum);
      boolean interrupted = false;
      while (kept.equals(deleting)) {
        try {
          othersInUse.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * The same as {@link #schedule} of a sandbox that is no executor's: of a container in another, or
   * of one that stands alone. Stays, where these are not to be deleted ({@code
   * --gc_non_executor_container_sandboxes}, rule 338).
   */
  public void scheduleOther(Path sandbox) {
    if (others) {
      leave(new Left(sandbox.toAbsolutePath(), true));
    }
  }

  private void leave(Left one) {
    left.add(one);
    if (noting.compareAndSet(false, true)) {
      try {
        thread.execute(this::note);
      } catch (RejectedExecutionException e) {
        LOG.debug("{} is found by the next process", one.sandbox());
      }
    }
  }

  private void release(Left one) {
    if (!one.released()) {
      return;
    }
    paths.at(one.sandbox()).ifPresent(inUse::remove);
    synchronized (othersInUse) {
      othersInUse.computeIfPresent(one.sandbox(), (path, users) -> users == 1 ? null : users - 1);
    }
  }

  /**
   * Deletes a directory that is no sandbox and that nobody uses any more, as soon as it may; at the
   * next start of the agent somebody must ask for it again if this one ends before.
   */
  public void discard(Path directory) {
    try {
      thread.execute(
          () -> {
            try {
              TreeDeletion.delete(directory);
              succeeded.increment();
            } catch (IOException e) {
              failed.increment();
              LOG.warn("Cannot delete {}; remove it by hand", directory, e);
            }
          });
    } catch (RejectedExecutionException e) {
      LOG.debug("{} stays until the next start", directory);
    }
  }

  /** Notes what was left meanwhile. */
  private void note() {
    noting.set(false);
    long now = clock.millis();
    try {
      for (Left one = left.poll(); one != null; one = left.poll()) {
        Path sandbox = one.sandbox();
        try {
          touch(sandbox, now);
        } catch (NoSuchFileException e) {
          release(one);
          continue;
        } catch (IOException e) {
          LOG.debug("{} counts from when it was changed: {}", sandbox, e.toString());
        }
        release(one);
        schedule.add(sandbox, now);
      }
      schedule.flush();
    } catch (IOException e) {
      cannotSchedule(e);
    }
  }

  private void cannotSchedule(IOException failure) {
    if (!incomplete) {
      LOG.warn(
          "Cannot write which sandboxes are to go; until that is possible the work directory is"
              + " looked through every {} s: {}",
          period.toSeconds(),
          failure.toString());
    }
    incomplete = true;
  }

  private static void touch(Path sandbox, long now) throws IOException {
    Files.getFileAttributeView(sandbox, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .setTimes(FileTime.fromMillis(now), null, null);
  }

  /** Makes the schedule of what there is. */
  private void lookAnew() {
    try {
      schedule.clear();
      Set<String> alive = containers.get();
      long now = clock.millis();
      // All that are too old are alike.
      long oldest = now - (long) (delay.toMillis() * Math.max(1, 1 - headroom)) - 1;
      walk(
          alive, (sandbox, since) -> schedule.add(sandbox, Math.max(oldest, Math.min(now, since))));
      schedule.flush();
      incomplete = false;
    } catch (IOException | DirectoryIteratorException e) {
      incomplete = true;
      LOG.warn("Cannot look for old sandboxes; it is tried again: {}", e.toString());
    }
  }

  /** Takes what was found. */
  @FunctionalInterface
  private interface Found {
    void take(Path sandbox, long since) throws IOException;
  }

  /** Finds all sandboxes that nobody uses, and removes folders in which there is none. */
  private void walk(Set<String> alive, Found found) throws IOException {
    for (Path agent : folders(paths.agents())) {
      for (Path framework : folders(agent.resolve("frameworks"))) {
        for (Path executor : folders(framework.resolve("executors"))) {
          boolean any = false;
          try (DirectoryStream<Path> runs = Files.newDirectoryStream(executor.resolve("runs"))) {
            for (Path run : runs) {
              if (Files.isDirectory(run, LinkOption.NOFOLLOW_LINKS)) {
                any = true;
                one(run, alive, found);
              }
            }
          } catch (NoSuchFileException | NotDirectoryException e) {
            continue;
          }
          if (!any) {
            tidy(executor.resolve("runs").resolve("none"));
          }
        }
      }
    }
    if (others) {
      for (Path standalone : folders(workDir.resolve("containers"))) {
        other(standalone, alive, found);
      }
    }
  }

  private void one(Path run, Set<String> alive, Found found) throws IOException {
    if (isFree(run, alive)) {
      found.take(run, since(run));
    } else if (others) {
      for (Path nested : folders(run.resolve("containers"))) {
        other(nested, alive, found);
      }
    }
  }

  private void other(Path sandbox, Set<String> alive, Found found) throws IOException {
    if (isFree(sandbox, alive)) {
      found.take(sandbox, since(sandbox));
    }
  }

  /** Whether nobody uses a sandbox, or will. */
  private boolean isFree(Path sandbox, Set<String> alive) {
    return !alive.contains(sandbox.getFileName().toString()) && !isUsed(sandbox);
  }

  private static long since(Path sandbox) throws IOException {
    return Files.getLastModifiedTime(sandbox, LinkOption.NOFOLLOW_LINKS).toMillis();
  }

  private static List<Path> folders(Path parent) throws IOException {
    List<Path> folders = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(parent)) {
      for (Path one : all) {
        if (Files.isDirectory(one, LinkOption.NOFOLLOW_LINKS)) {
          folders.add(one);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    return folders;
  }

  /** One pass more, and waits for it; visible for tests. */
  void collect() {
    CompletableFuture.runAsync(this::pass, thread).join();
  }

  private void pass() {
    try {
      used = usage();
      double share = Math.max(0, 1 - headroom - used);
      long allowed = (long) (delay.toMillis() * share);
      allowedAgeSeconds = allowed / 1000.0;
      note();
      Set<String> alive = containers.get();
      if (incomplete) {
        long limit = share == 0 ? Long.MAX_VALUE : clock.millis() - allowed;
        walk(
            alive,
            (sandbox, since) -> {
              if (since <= limit) {
                delete(sandbox);
              }
            });
        lookAnew();
        return;
      }
      long limit = share == 0 ? Long.MAX_VALUE : clock.millis() - allowed;
      schedule.take(
          limit,
          sandbox -> {
            if (isFree(sandbox, alive)) {
              deleteOrDefer(sandbox, limit);
            } else if (!isUsed(sandbox)) {
              // Somebody is still in it whom nobody waits for.
              left.add(new Left(sandbox, false));
            }
            if (!left.isEmpty()) {
              note();
            }
          });
    } catch (IOException e) {
      cannotSchedule(e);
    } catch (RuntimeException e) {
      LOG.error("A pass over old sandboxes failed; the next one tries again", e);
      incomplete = true;
    }
  }

  /** Ids of others may come again: what stands there now may be younger than what was noted. */
  private void deleteOrDefer(Path sandbox, long limit) {
    if (paths.at(sandbox).isEmpty()) {
      try {
        long since = since(sandbox);
        if (since > limit) {
          schedule.add(sandbox, since);
          return;
        }
      } catch (NoSuchFileException e) {
        return;
      } catch (IOException e) {
        LOG.debug("How old {} is cannot be told: {}", sandbox, e.toString());
      }
    }
    delete(sandbox);
  }

  private boolean isUsed(Path sandbox) {
    Optional<SandboxRun> run = paths.at(sandbox);
    if (run.isPresent()) {
      return inUse.contains(run.get());
    }
    synchronized (othersInUse) {
      return othersInUse.containsKey(sandbox);
    }
  }

  private double usage() {
    try {
      FileStore store = Files.getFileStore(workDir);
      long total = store.getTotalSpace();
      return total <= 0 ? 0 : 1 - (double) store.getUsableSpace() / total;
    } catch (IOException e) {
      LOG.warn("Cannot tell how full the disk of {} is: {}", workDir, e.toString());
      return 0;
    }
  }

  private void delete(Path sandbox) {
    synchronized (othersInUse) {
      if (othersInUse.containsKey(sandbox)) {
        return;
      }
      deleting = sandbox;
    }
    try {
      deleteUnused(sandbox);
    } finally {
      synchronized (othersInUse) {
        deleting = null;
        othersInUse.notifyAll();
      }
    }
  }

  private void deleteUnused(Path sandbox) {
    if (!Files.exists(sandbox, LinkOption.NOFOLLOW_LINKS)) {
      LOG.debug("{} has gone before", sandbox);
      return;
    }
    try {
      TreeDeletion.delete(sandbox);
      Optional<SandboxRun> run = paths.at(sandbox);
      if (run.isPresent()) {
        tidy(sandbox);
        removed.accept(run.get());
      }
      succeeded.increment();
    } catch (NoSuchFileException e) {
      LOG.debug("{} has gone with the sandbox that it was in", sandbox);
    } catch (IOException e) {
      failed.increment();
      LOG.warn("Cannot delete the sandbox {}; remove it by hand", sandbox, e);
    }
  }

  /** Removes the folders above that held nothing else. */
  private void tidy(Path sandbox) throws IOException {
    Path runs = sandbox.getParent();
    Path latest = runs.resolve("latest");
    if (Files.isSymbolicLink(latest) && !Files.exists(latest)) {
      Files.delete(latest);
    }
    Path folder = runs;
    for (int levels = 0; levels < 5 && !folder.equals(workDir); levels++) {
      try {
        Files.delete(folder);
      } catch (DirectoryNotEmptyException | NoSuchFileException e) {
        return;
      }
      folder = folder.getParent();
    }
  }

  @Override
  public void close() {
    if (thread.isShutdown()) {
      return;
    }
    // Behind what the thread is about: its files are its own.
    thread.execute(schedule::close);
    thread.shutdown();
    try {
      // A pass that deletes much goes on where it stood at the next start.
      if (!thread.awaitTermination(CLOSE_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      thread.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
