package org.mezzo.daemon.loop;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.metrics.Longest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that touches a daemon's state. Tasks run in the order in which they were given and
 * must not block; one that throws is logged and counted and the loop goes on.
 */
public final class EventLoop implements Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

  private static final ThreadMXBean PROCESSOR = ManagementFactory.getThreadMXBean();

  /** What a single task should never take. */
  private static final long SLOW_NANOS = Duration.ofMillis(50).toNanos();

  /** Something scheduled that can be called off; called off on the loop, it does not run again. */
  @FunctionalInterface
  public interface Timer {
    void cancel();
  }

  private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
  private final ScheduledThreadPoolExecutor timers;
  private final Thread thread;
  private final Longest longest = new Longest();
  private final Longest longestOnProcessor = new Longest();
  private final AtomicLong slow = new AtomicLong();
  private final AtomicInteger failures = new AtomicInteger();
  private volatile boolean closed;
  private volatile TurnListener listener = (clock, processor) -> {};

  /** Hears of each turn of the loop, on the loop; for measuring. Must be quick. */
  @FunctionalInterface
  public interface TurnListener {
    /**
     * A task has run.
     *
     * @param clockNanos how long it took
     * @param processorNanos what of that the thread was running; the rest is other work of the
     *     machine, collections and page faults
     */
    void turn(long clockNanos, long processorNanos);
  }

  /** Starts the loop's thread. */
  public EventLoop(String name) {
    timers =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread timer = new Thread(task, name + "-timer");
              timer.setDaemon(true);
              timer.setContextClassLoader(null);
              return timer;
            });
    timers.setRemoveOnCancelPolicy(true);
    thread = new Thread(this::run, name + "-loop");
    thread.setContextClassLoader(null);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    while (!closed || !queue.isEmpty()) {
      Runnable task;
      try {
        task = queue.take();
      } catch (InterruptedException e) {
        continue;
      }
      long begin = System.nanoTime();
      long beginOnProcessor = PROCESSOR.getCurrentThreadCpuTime();
      try {
        task.run();
      } catch (Throwable t) {
        failures.incrementAndGet();
        LOG.error("A task of the event loop failed; its event is lost, the loop goes on", t);
      }
      long onProcessor = PROCESSOR.getCurrentThreadCpuTime() - beginOnProcessor;
      long end = System.nanoTime();
      longest.record(end, end - begin);
      longestOnProcessor.record(end, onProcessor);
      listener.turn(end - begin, onProcessor);
      if (end - begin > SLOW_NANOS) {
        slow.incrementAndGet();
        LOG.debug("{} held the event loop for {} ms", task.getClass(), (end - begin) / 1_000_000);
      }
    }
  }

  /** Queues a task; ignored once the loop is closed. Safe for any thread. */
  @Override
  public void execute(Runnable task) {
    if (!closed) {
      queue.add(task);
    }
  }

  /**
   * Does something with each of many in turns of their own, all of which are queued now. Safe for
   * any thread.
   *
   * @param portion how many in one turn
   */
  public <T> void executeEach(Collection<T> all, int portion, Consumer<T> each) {
    List<T> list = List.copyOf(all);
    for (int from = 0; from < list.size(); from += portion) {
      List<T> some = list.subList(from, Math.min(list.size(), from + portion));
      execute(() -> some.forEach(each));
    }
  }

  /** Runs a task on the loop after a delay, unless called off before. Safe for any thread. */
  public Timer schedule(Duration delay, Runnable task) {
    return begin(new Scheduled(task, delay, false));
  }

  /**
   * Runs a task on the loop again and again, a period after the end of its last run. So a loop that
   * was held up finds at most one run waiting, and the next does not follow at its heels. Safe for
   * any thread.
   */
  public Timer every(Duration period, Runnable task) {
    return begin(new Scheduled(task, period, true));
  }

  private Timer begin(Scheduled scheduled) {
    if (!closed) {
      scheduled.arm();
    }
    return scheduled;
  }

  /** A task and when it is due. */
  private final class Scheduled implements Timer, Runnable {
    private final Runnable task;
    private final Duration wait;
    private final boolean again;
    private volatile boolean cancelled;
    private volatile Future<?> next;

    Scheduled(Runnable task, Duration wait, boolean again) {
      this.task = task;
      this.wait = wait;
      this.again = again;
    }

    void arm() {
      try {
        next = timers.schedule(() -> execute(this), wait.toNanos(), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("The loop is closed");
      }
      if (cancelled) {
        cancel();
      }
    }

    @Override
    public void run() {
      if (cancelled) {
        return;
      }
      try {
        task.run();
      } finally {
        if (again && !cancelled && !closed) {
          arm();
        }
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
      Future<?> armed = next;
      if (armed != null) {
        armed.cancel(false);
      }
    }
  }

  /** Whether the caller is the loop. */
  public boolean inLoop() {
    return Thread.currentThread() == thread;
  }

  /**
   * Registers queue length, longest task of the last minutes (on the clock, and what of it the
   * thread was running), tasks that took more than 50 ms, failures and timers, below a prefix.
   */
  public void measure(Metrics metrics, String prefix) {
    metrics.gauge(prefix + "/event_queue_length", this::waiting);
    metrics.gauge(prefix + "/event_longest_ms", () -> longest.nanos(System.nanoTime()) / 1e6);
    metrics.gauge(
        prefix + "/event_longest_cpu_ms", () -> longestOnProcessor.nanos(System.nanoTime()) / 1e6);
    metrics.gauge(prefix + "/events_slow", slow::get);
    metrics.gauge(prefix + "/event_failures", failures::get);
    metrics.gauge(prefix + "/event_timers", this::scheduled);
  }

  /** How many tasks wait for their turn. */
  public int waiting() {
    return queue.size();
  }

  /** How many timers wait for their time. */
  public int scheduled() {
    return timers.getQueue().size();
  }

  /** The longest a task has held the loop within the last minute, at least. */
  public Duration longest() {
    return Duration.ofNanos(longest.nanos(System.nanoTime()));
  }

  /** Tells this of each turn from now on, instead of who was told before. */
  public void observe(TurnListener listener) {
    this.listener = listener;
  }

  /** Runs what is queued, then ends; waits for it unless called on the loop. */
  @Override
  public void close() {
    execute(() -> {});
    closed = true;
    timers.shutdownNow();
    queue.add(() -> {});
    if (!inLoop()) {
      try {
        thread.join(5_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
