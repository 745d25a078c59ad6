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
 * What must not run on an event loop, in lanes that cannot hold each other up: readers, which may
 * take seconds each and be asked for by anybody; the writers of event streams; and answers, which
 * are short and somebody waits for. Each lane has threads and a bounded queue of its own. Used as
 * an executor it is the readers' lane. Safe for any thread.
 */
public final class Workers implements Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);

  /**
   * Threads of each lane whose tasks are short. Two, so that one long task (the state for a new
   * subscriber of events) does not stop the lane; more than processors would only take turns.
   */
  private static final int SHORT = Math.max(2, Runtime.getRuntime().availableProcessors() / 2);

  /** So many threads that do not come back are replaced, in each lane. */
  private static final int MOST_STUCK = 64;

  /** Replaces threads of one lane that are stuck in something. Safe for any thread. */
  public interface Replacing {
    /** A thread is stuck: the lane has another one instead, within its bound. */
    void lost();

    /** It is not any more. */
    void back();
  }

  private static final Replacing NOTHING =
      new Replacing() {
        @Override
        public void lost() {}

        @Override
        public void back() {}
      };

  private final Lane readers;
  private final Lane events;
  private final Lane answers;

  /**
   * Starts no thread before there is work.
   *
   * @param name for thread names
   * @param readers how many reads run at a time, at most
   */
  public Workers(String name, int readers) {
    this.readers = new Lane(name, "reader", readers);
    this.events = new Lane(name, "events", SHORT);
    this.answers = new Lane(name, "answers", SHORT);
  }

  /** Threads with a queue: tasks begin in the order in which they came. Safe for any thread. */
  private static final class Lane implements Executor, Replacing {
    private static final int MAX_WAITING = 100_000;

    /** The lane of each thread that is one's. */
    private static final ThreadLocal<Lane> OF_THREAD = new ThreadLocal<>();

    private final ThreadPoolExecutor pool;
    private final int threads;
    private int stuck;

    Lane(String daemon, String name, int threads) {
      this.threads = threads;
      AtomicInteger number = new AtomicInteger();
      pool =
          new ThreadPoolExecutor(
              threads,
              threads,
              30,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(MAX_WAITING),
              task -> {
                Runnable own =
                    () -> {
                      OF_THREAD.set(this);
                      task.run();
                    };
                Thread thread =
                    new Thread(own, daemon + "-" + name + "-" + number.incrementAndGet());
                thread.setDaemon(true);
                thread.setContextClassLoader(null);
                return thread;
              });
      pool.allowCoreThreadTimeOut(true);
    }

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

    boolean current() {
      return OF_THREAD.get() == this;
    }

    @Override
    public synchronized void lost() {
      stuck++;
      resize();
    }

    @Override
    public synchronized void back() {
      stuck--;
      resize();
    }

    private void resize() {
      int size = threads + Math.min(stuck, MOST_STUCK);
      if (size > pool.getMaximumPoolSize()) {
        pool.setMaximumPoolSize(size);
        pool.setCorePoolSize(size);
      } else {
        pool.setCorePoolSize(size);
        pool.setMaximumPoolSize(size);
      }
    }

    synchronized int stuck() {
      return stuck;
    }

    void measure(Metrics metrics, String name) {
      metrics.gauge(name + "_queue_length", () -> pool.getQueue().size());
      metrics.gauge(name + "_active", pool::getActiveCount);
      metrics.gauge(name + "_stuck", this::stuck);
    }
  }

  /**
   * Queues a read: what makes a large answer, or waits for a file. Its exceptions are logged.
   *
   * @throws RejectedExecutionException when closed, or when too many tasks wait
   */
  @Override
  public void execute(Runnable read) {
    readers.execute(read);
  }

  /** The lane on which events are made, encoded and written to their streams; throws as above. */
  public Executor events() {
    return events;
  }

  /**
   * The lane for what is short and waited for: answers of calls, and going on with a call once an
   * authenticator or authorizer has spoken; throws as above.
   */
  public Executor answers() {
    return answers;
  }

  /**
   * Writes an answer: here when the caller is a reader, which has made it, or writes answers
   * already; otherwise on the answers' lane.
   *
   * @throws RejectedExecutionException as above
   */
  public void answer(Runnable answer) {
    if (readers.current() || answers.current()) {
      answer.run();
    } else {
      answers.execute(answer);
    }
  }

  /** Who replaces the calling thread if it is stuck: its lane. Nobody for a thread of no lane. */
  public static Replacing ofThisThread() {
    Lane lane = Lane.OF_THREAD.get();
    return lane == null ? NOTHING : lane;
  }

  /**
   * Whether a lane has as many threads stuck as are replaced, so that nothing may be done any more
   * that costs another one.
   */
  public boolean isSpent() {
    return Math.max(readers.stuck(), Math.max(events.stuck(), answers.stuck())) >= MOST_STUCK;
  }

  /** Registers each lane's queue length, running tasks and stuck threads below a prefix. */
  public void measure(Metrics metrics, String prefix) {
    readers.measure(metrics, prefix + "/readers");
    events.measure(metrics, prefix + "/event_writers");
    answers.measure(metrics, prefix + "/answers");
  }

  /** Takes nothing new and drops what waits; running tasks are interrupted. */
  @Override
  public void close() {
    readers.pool.shutdownNow();
    events.pool.shutdownNow();
    answers.pool.shutdownNow();
  }
}
