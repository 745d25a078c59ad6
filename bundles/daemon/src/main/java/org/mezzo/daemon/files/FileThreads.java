package org.mezzo.daemon.files;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads for reading files that others control, which may hang: on a fifo that took a file's place
 * in the very instant of its opening, or on a disk that does not answer. Java can neither open
 * without waiting nor end such a wait, so it is bounded instead. In each tree one call is made at a
 * time, and each call has a time limit. While one hangs, its tree is not read and its thread is
 * replaced, up to a number of them: whoever makes calls hang costs one thread and only itself. Safe
 * for any thread.
 */
final class FileThreads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FileThreads.class);
  private static final int THREADS = 8;
  private static final int MOST_STUCK = 64;
  private static final int MOST_WAITING_IN_A_TREE = 1000;
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /** The calls into one tree; guarded by the threads' object. Exists while there are some. */
  private static final class Lane {
    final Path tree;
    final Queue<Call<?>> waiting = new ArrayDeque<>();
    Call<?> running;
    boolean stuck;

    Lane(Path tree) {
      this.tree = tree;
    }
  }

  private record Call<T>(Callable<T> work, CompletableFuture<T> result, Consumer<T> discard) {
    /** Does the work unless nobody waits for it any more. */
    void run() {
      if (result.isDone()) {
        return;
      }
      try {
        T value = work.call();
        if (!result.complete(value)) {
          discard.accept(value);
        }
      } catch (Throwable t) {
        result.completeExceptionally(t);
      }
    }
  }

  private final ThreadPoolExecutor pool;
  private final Map<Path, Lane> lanes = new HashMap<>();
  private int stuck;

  FileThreads(String daemon) {
    AtomicInteger number = new AtomicInteger();
    pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, daemon + "-files-" + number.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
  }

  /** Makes a call with the limit that calls have. */
  <T> CompletionStage<T> call(Path tree, Callable<T> work, Consumer<T> discard) {
    return call(tree, LIMIT, work, discard);
  }

  /**
   * Makes a call.
   *
   * @param tree in which it reads
   * @param limit how long somebody waits for it
   * @param discard gets what a call gives that nobody waits for any more
   * @return fails with what the call threw, or with a {@link FileException} of status 503
   */
  <T> CompletionStage<T> call(Path tree, Duration limit, Callable<T> work, Consumer<T> discard) {
    CompletableFuture<T> timed = new CompletableFuture<>();
    Call<T> call = new Call<>(work, timed, discard);
    Lane lane;
    synchronized (this) {
      lane = lanes.computeIfAbsent(tree, Lane::new);
      if (lane.stuck) {
        return unavailable("an earlier read in the same folder has not returned");
      }
      if (lane.waiting.size() >= MOST_WAITING_IN_A_TREE) {
        return unavailable("too many reads wait in the same folder");
      }
      lane.waiting.add(call);
      if (lane.running == null && !begin(lane)) {
        return unavailable("the daemon is stopping");
      }
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    timed
        .orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (value, failure) -> {
              if (failure == null) {
                result.complete(value);
              } else if (failure instanceof TimeoutException) {
                late(lane, call, limit);
                result.completeExceptionally(
                    failure("it was not opened within " + limit.toSeconds() + " s"));
              } else {
                result.completeExceptionally(failure);
              }
            });
    return result;
  }

  private synchronized boolean begin(Lane lane) {
    Call<?> call = lane.waiting.remove();
    lane.running = call;
    try {
      pool.execute(
          () -> {
            call.run();
            ended(lane);
          });
      return true;
    } catch (RejectedExecutionException e) {
      lanes.remove(lane.tree);
      return false;
    }
  }

  private synchronized void ended(Lane lane) {
    lane.running = null;
    if (lane.stuck) {
      lane.stuck = false;
      stuck--;
      resize();
      LOG.info("Files in {} can be read again", lane.tree);
    }
    if (lane.waiting.isEmpty()) {
      lanes.remove(lane.tree);
    } else {
      begin(lane);
    }
  }

  private synchronized void late(Lane lane, Call<?> call, Duration limit) {
    if (lane.running != call || lane.stuck) {
      return;
    }
    lane.stuck = true;
    stuck++;
    resize();
    LOG.warn(
        "A file in {} has not opened within {} s and holds a thread: somebody exchanged it for a"
            + " fifo, or its disk does not answer. Nothing in this folder is read until it returns",
        lane.tree,
        limit.toSeconds());
  }

  private void resize() {
    int threads = THREADS + Math.min(MOST_STUCK, stuck);
    if (threads > pool.getMaximumPoolSize()) {
      pool.setMaximumPoolSize(threads);
      pool.setCorePoolSize(threads);
    } else {
      pool.setCorePoolSize(threads);
      pool.setMaximumPoolSize(threads);
    }
  }

  private static <T> CompletionStage<T> unavailable(String reason) {
    return CompletableFuture.failedStage(failure(reason));
  }

  private static FileException failure(String reason) {
    return new FileException(503, "The file cannot be read now: " + reason);
  }

  /** How many trees have a thread waiting in them. */
  synchronized int stuck() {
    return stuck;
  }

  @Override
  public void close() {
    pool.shutdownNow();
  }
}
