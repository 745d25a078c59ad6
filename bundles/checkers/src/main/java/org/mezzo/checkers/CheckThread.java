package org.mezzo.checkers;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.checker.CheckResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The looks of one checker that are under way, on one thread. Safe for any thread. */
final class CheckThread implements AutoCloseable {
  private static final Duration END_LIMIT = Duration.ofSeconds(5);
  private static final int MOST_RESOLVING = 100;

  private final Logger log;
  private final Selector selector;
  private final Queue<Runnable> orders = new ConcurrentLinkedQueue<>();
  private final ThreadPoolExecutor ciphers;
  private final ThreadPoolExecutor resolvers;
  private final Thread thread;
  private final AtomicInteger underWay = new AtomicInteger();
  private volatile boolean closed;

  // Of the thread.
  private final Set<Attempt> attempts = new HashSet<>();
  private final PriorityQueue<Attempt> due =
      new PriorityQueue<>(Comparator.comparingLong(attempt -> attempt.due - Attempt.ORIGIN));
  private SSLContext tls;

  /**
   * Starts the thread.
   *
   * @param kind of checks, for the names of threads
   * @param context its metric {@code underway} is how many looks have a connection, or are to get
   *     one, those included whose answer is still being read to its end
   */
  CheckThread(String kind, DaemonContext context) throws IOException {
    log = LoggerFactory.getLogger(context.loggerName());
    selector = Selector.open();
    String name = context.daemon() + "-checks-" + kind;
    ciphers = pool(name + "-ciphers-", Integer.MAX_VALUE);
    resolvers = pool(name + "-names-", MOST_RESOLVING);
    context.metrics().gauge("underway", underWay::get);
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    thread.start();
  }

  private static ThreadPoolExecutor pool(String prefix, int most) {
    AtomicInteger count = new AtomicInteger();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            2,
            2,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(most),
            task -> {
              Thread thread = new Thread(task, prefix + count.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** Begins a look; what comes of it is its result, and to cancel that ends it. */
  CompletionStage<CheckResult> begin(Function<CompletableFuture<CheckResult>, Attempt> kind) {
    CompletableFuture<CheckResult> result = new CompletableFuture<>();
    Attempt attempt = kind.apply(result);
    order(
        () -> {
          if (!result.isDone()) {
            attempts.add(attempt);
            underWay.set(attempts.size());
            attempt.begin();
          }
        });
    result.whenComplete(
        (known, failure) -> {
          if (result.isCancelled()) {
            order(attempt::end);
          }
        });
    return result;
  }

  /** Does something on the thread. */
  void order(Runnable order) {
    orders.add(order);
    if (Thread.currentThread() != thread) {
      selector.wakeup();
    }
  }

  // On the thread.

  private void run() {
    try (selector) {
      List<Attempt> late = new ArrayList<>();
      while (!closed) {
        long wait = untilDue();
        if (!orders.isEmpty() || wait == 0) {
          selector.selectNow(this::ready);
        } else {
          selector.select(this::ready, wait < 0 ? 0 : wait);
        }
        for (Runnable order = orders.poll(); order != null; order = orders.poll()) {
          guarded(order);
        }
        long now = System.nanoTime();
        while (!due.isEmpty() && due.peek().due - now <= 0) {
          late.add(due.poll());
        }
        late.forEach(attempt -> guarded(attempt::due));
        late.clear();
      }
    } catch (IOException | RuntimeException | Error e) {
      log.error("The thread of checks ended", e);
    } finally {
      // Nobody gets a verdict of a checker that is gone.
      List.copyOf(attempts).forEach(attempt -> guarded(attempt::end));
    }
  }

  /** Milliseconds; less than 0 when nothing is due ever. */
  private long untilDue() {
    if (due.isEmpty()) {
      return -1;
    }
    long nanos = due.peek().due - System.nanoTime();
    return nanos <= 0 ? 0 : nanos / 1_000_000 + 1;
  }

  private void ready(SelectionKey key) {
    Attempt attempt = (Attempt) key.attachment();
    guarded(() -> attempt.guarded(attempt::ready));
  }

  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      log.error("A check failed in an unforeseen way", e);
    }
  }

  Selector selector() {
    return selector;
  }

  void over(Attempt attempt) {
    attempts.remove(attempt);
    underWay.set(attempts.size());
  }

  void awaitDue(Attempt attempt) {
    due.add(attempt);
  }

  void forgetDue(Attempt attempt) {
    due.remove(attempt);
  }

  /** What takes all certificates; made when first needed. */
  SSLContext tls() throws IOException {
    if (tls == null) {
      try {
        tls = TrustAll.context();
      } catch (GeneralSecurityException e) {
        throw new IOException("this Java has no TLS: " + e.getMessage(), e);
      }
    }
    return tls;
  }

  /** Computes away from the thread, then goes on with an attempt on it. */
  void compute(Runnable work, Attempt attempt, Attempt.Step then) {
    away(ciphers, work, attempt, then);
  }

  /** Looks a name up away from the thread, then goes on with an attempt on it. */
  void resolve(Runnable work, Attempt attempt, Attempt.Step then) {
    away(resolvers, work, attempt, then);
  }

  private void away(ThreadPoolExecutor pool, Runnable work, Attempt attempt, Attempt.Step then) {
    try {
      pool.execute(
          () -> {
            try {
              work.run();
            } finally {
              order(() -> attempt.guarded(then));
            }
          });
    } catch (RejectedExecutionException e) {
      attempt.finish(CheckResult.failed("too many names are being looked up"));
    }
  }

  /** Ends what is under way; nobody is told any more. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    ciphers.shutdownNow();
    resolvers.shutdownNow();
    try {
      thread.join(END_LIMIT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
