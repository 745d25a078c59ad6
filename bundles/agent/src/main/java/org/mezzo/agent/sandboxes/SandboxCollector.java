package org.mezzo.agent.sandboxes;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.mezzo.api.Metrics;
import org.mezzo.files.TreeDeletion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes sandboxes some time after their last change, sooner when the disk fills (rules 335 and
 * 336), never those in use (rule 337). Has a thread of its own. Safe for any thread.
 */
public final class SandboxCollector implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxCollector.class);

  private final Path workDir;
  private final Duration delay;
  private final double headroom;
  private final Duration period;
  private final Clock clock;
  private final SandboxPaths paths;
  private final Consumer<SandboxRun> removed;
  private final Predicate<SandboxRun> occupied;

  /** When each may go, in milliseconds of the epoch: one for every sandbox of the past. */
  private final Map<SandboxRun, Long> due = new ConcurrentHashMap<>();

  private final Set<SandboxRun> inUse = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService thread;
  private final Metrics.Counter succeeded;
  private final Metrics.Counter failed;
  private volatile double allowedAgeSeconds;

  /**
   * Looks at nothing before {@link #start}.
   *
   * @param occupied whether a container may still be in the sandbox, whoever launched it
   * @param removed told of each sandbox that was deleted
   */
  public SandboxCollector(
      Path workDir,
      SandboxRetention retention,
      Clock clock,
      Metrics metrics,
      Predicate<SandboxRun> occupied,
      Consumer<SandboxRun> removed) {
    this.workDir = workDir;
    this.paths = new SandboxPaths(workDir);
    this.delay = retention.delay();
    this.headroom = retention.headroom();
    this.period = retention.period();
    this.clock = clock;
    this.occupied = occupied;
    this.removed = removed;
    this.allowedAgeSeconds = delay.toSeconds();
    succeeded = metrics.counter("gc/path_removals_succeeded");
    failed = metrics.counter("gc/path_removals_failed");
    metrics.gauge("gc/path_removals_pending", due::size);
    metrics.gauge("slave/executor_directory_max_allowed_age_secs", () -> allowedAgeSeconds);
    thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread worker = new Thread(task, "sandbox-collector");
              worker.setDaemon(true);
              worker.setContextClassLoader(null);
              return worker;
            });
  }

  /** Begins to look, first at what earlier processes left, which counts from its last change. */
  public void start() {
    scheduleExisting();
    thread.scheduleWithFixedDelay(
        this::collect, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Keeps a sandbox that is about to be used, until it is scheduled (rule 337). */
  public void unschedule(SandboxRun sandbox) {
    inUse.add(sandbox);
    due.remove(sandbox);
  }

  /** Deletes the sandbox, which nobody uses any more, when its time has come, counted from now. */
  public void schedule(SandboxRun sandbox) {
    due.put(sandbox, clock.instant().plus(delay).toEpochMilli());
    inUse.remove(sandbox);
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

  private void scheduleExisting() {
    thread.execute(
        () -> {
          try (var found = Files.find(paths.agents(), 7, SandboxCollector::isRun)) {
            found.forEach(path -> paths.at(path).ifPresent(run -> scheduleExisting(path, run)));
          } catch (NoSuchFileException e) {
            LOG.debug("No sandboxes of earlier processes");
          } catch (IOException | java.io.UncheckedIOException e) {
            LOG.warn("Cannot look for old sandboxes; they stay until the next start", e);
          }
        });
  }

  private void scheduleExisting(Path path, SandboxRun run) {
    if (inUse.contains(run)) {
      return;
    }
    try {
      due.putIfAbsent(
          run,
          Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toMillis() + delay.toMillis());
    } catch (IOException e) {
      LOG.debug("{} is gone", path);
    }
  }

  private static boolean isRun(Path path, BasicFileAttributes attributes) {
    return attributes.isDirectory()
        && path.getParent().getFileName().toString().equals("runs")
        && path.getParent().getParent().getParent().getFileName().toString().equals("executors");
  }

  /** One pass; visible for tests. */
  void collect() {
    try {
      double usage = usage();
      double share = Math.max(0, 1 - headroom - usage);
      allowedAgeSeconds = delay.toMillis() / 1000.0 * share;
      long limit = clock.millis() + delay.toMillis() - (long) (allowedAgeSeconds * 1000);
      for (Map.Entry<SandboxRun, Long> entry : List.copyOf(due.entrySet())) {
        boolean full = share == 0 || entry.getValue() <= limit;
        if (full
            && !inUse.contains(entry.getKey())
            && !occupied.test(entry.getKey())
            && due.remove(entry.getKey(), entry.getValue())) {
          delete(entry.getKey());
        }
      }
    } catch (RuntimeException e) {
      LOG.error("A pass over old sandboxes failed; the next one tries again", e);
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

  private void delete(SandboxRun run) {
    Path sandbox = paths.of(run);
    try {
      TreeDeletion.delete(sandbox);
      tidy(sandbox);
      succeeded.increment();
      removed.accept(run);
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
    thread.shutdownNow();
  }
}
