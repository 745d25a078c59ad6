package org.mezzo.daemon.loop;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded pool for what must not run on an event loop: encoding, file access, endpoints behind an
 * authenticator. Safe for any thread.
 */
public final class Workers implements Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
  private static final int MAX_WAITING = 100_000;

  private final ThreadPoolExecutor pool;

  /**
   * Starts no thread before there is work.
   *
   * @param name for thread names
   * @param threads the most that run at a time
   */
  public Workers(String name, int threads) {
    AtomicInteger number = new AtomicInteger();
    pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING),
            task -> {
              Thread thread = new Thread(task, name + "-worker-" + number.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
  }

  /**
   * Queues a task; its exceptions are logged.
   *
   * @throws RejectedExecutionException when closed, or when too many tasks wait
   */
  @Override
  public void execute(Runnable task) {
    pool.execute(
        () -> {
          try {
            task.run();
          } catch (Throwable t) {
            LOG.error("A worker's task failed", t);
          }
        });
  }

  /** Registers the queue's length and the running tasks below a prefix. */
  public void measure(Metrics metrics, String prefix) {
    metrics.gauge(prefix + "/workers_queue_length", () -> pool.getQueue().size());
    metrics.gauge(prefix + "/workers_active", pool::getActiveCount);
  }

  /** Takes nothing new and drops what waits; running tasks are interrupted. */
  @Override
  public void close() {
    pool.shutdownNow();
  }
}
