package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Metrics;
import org.mezzo.api.fetcher.Programs;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Brings the URIs of commands into sandboxes (rules 320-334), on threads that do nothing else.
 * Transfer is the work of fetcher modules; which URIs are refused, names, the cache, extraction and
 * permissions are decided here.
 *
 * <p>What a module fetches, and what an archive holds, becomes complete in a folder closed to
 * others, is given to the task's user there, and gets to its place through open folders. When the
 * agent is root and the task is not, no file of the machine is read as root: a task gets no file
 * that its user may not read. Local files are copied without a module then.
 */
public final class UriFetcher implements AutoCloseable {
  /** So many fetches and downloads run at a time; the others wait in line. */
  static final int AT_A_TIME = 32;

  private static final int MOST_WAITING = 100_000;
  private static final Duration LONGEST_PROGRAM = Duration.ofDays(1);
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private final ThreadPoolExecutor lane;
  private final Commands commands;
  private final Transfers transfers;
  private final Optional<FetchCache> cache;
  private final Fetching.Parts parts;
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * Forgets what an earlier process of this agent did not finish, and takes up its cache. Blocks.
   *
   * @param events where replies of modules arrive
   * @throws IOException when the cache cannot be used
   */
  public UriFetcher(ContainerizerHost host, ContainerizerOptions options, Executor events)
      throws IOException {
    ContainerizerOptions.Fetching how = options.fetching();
    Path workDir = host.agent().workDir();
    Path staging = workDir.resolve("fetching");
    Staging.clear(staging);
    String name = host.agent().daemon();
    lane =
        new ThreadPoolExecutor(
            AT_A_TIME,
            AT_A_TIME,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MOST_WAITING),
            threads(name + "-fetching-"));
    lane.allowCoreThreadTimeOut(true);
    commands = new Commands(LONGEST_PROGRAM, threads(name + "-fetching-output-"));
    Metrics metrics = host.agent().metrics();
    Copies copies = Copies.of(commands, false);
    if (how.cacheBytes() > 0) {
      Path folder = how.cacheFolder().orElse(workDir.resolve("fetcher-cache"));
      cache =
          Optional.of(
              FetchCache.open(folder, how.cacheBytes(), how.cachePersists(), lane, metrics));
      copies = Copies.between(folder.resolve(".part"), staging, commands);
    } else {
      cache = Optional.empty();
      metrics.gauge("containerizer/fetcher/cache_size_total_bytes", () -> 0);
      metrics.gauge("containerizer/fetcher/cache_size_used_bytes", () -> 0);
    }
    transfers = new Transfers(host, how.stallTimeout(), events);
    parts =
        new Fetching.Parts(
            transfers,
            commands,
            new Archives(commands, how.largestArchive()),
            copies,
            cache,
            how.frameworksHome(),
            staging,
            metrics.counter("containerizer/fetcher/archives_refused")::increment);
    metrics.gauge("containerizer/fetches_active", lane::getActiveCount);
    metrics.gauge("containerizer/fetch_queue_length", () -> lane.getQueue().size());
    metrics.gauge("containerizer/fetches_waiting", waiting::get);
  }

  private static ThreadFactory threads(String prefix) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, prefix + count.incrementAndGet());
      thread.setDaemon(true);
      thread.setContextClassLoader(null);
      return thread;
    };
  }

  /**
   * Begins to fetch everything a command asks for; returns at once.
   *
   * @param user whose rights count and whom the files belong to; empty for the agent's own
   * @param cgroup where programs are that work for this alone; empty for none
   * @return fails when something is refused or cannot be fetched; the sandbox's stderr says more
   */
  public Fetch begin(
      List<CommandInfo.URI> uris, Path sandbox, Optional<TaskUser> user, Optional<Path> cgroup)
      throws LaunchException {
    Programs programs = cgroup.map(Programs::in).orElse(Programs.UNBOUND);
    Fetch fetch = new Fetch(new Fetching(parts, uris, sandbox, user, programs), lane, waiting);
    try {
      fetch.begin();
    } catch (RejectedExecutionException e) {
      throw new LaunchException("Too many fetches are waiting on this agent", e);
    }
    return fetch;
  }

  /** The same without a cgroup. */
  public Fetch begin(List<CommandInfo.URI> uris, Path sandbox, Optional<TaskUser> user)
      throws LaunchException {
    return begin(uris, sandbox, user, Optional.empty());
  }

  /** How many wait for what somebody else downloads. */
  int waiting() {
    return waiting.get();
  }

  Optional<FetchCache> cache() {
    return cache;
  }

  @Override
  public void close() {
    cache.ifPresent(FetchCache::closing);
    lane.shutdownNow();
    try {
      lane.awaitTermination(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    commands.close();
    transfers.close();
    cache.ifPresent(FetchCache::close);
  }
}
