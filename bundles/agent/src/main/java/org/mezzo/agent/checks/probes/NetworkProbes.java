package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;
import org.mezzo.agent.checks.Prober;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes by HTTP and TCP of all tasks of an agent, on one thread. So many are under way at a time
 * at most; others wait, which counts against nobody's timeout. One that takes long makes room for
 * others, so that tasks which never answer hold up nobody else. Where a task is in another network
 * than the agent, a {@link NetworkRelay} makes the connection. Commands are handed to the task.
 * Safe for any thread.
 */
public final class NetworkProbes implements Prober, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkProbes.class);

  /** How many are under way before others wait. */
  private static final int MOST_UNDER_WAY = 256;

  /** How long one is counted among those. */
  private static final Duration COUNTED = Duration.ofSeconds(10);

  private static final int MOST_RESOLVING = 100;

  private final Selector selector;
  private final NetworkNamespaces namespaces;
  private final NetworkRelay relay;
  private final int mostUnderWay;
  private final Duration counted;
  private final Queue<Runnable> orders = new ConcurrentLinkedQueue<>();
  private final ThreadPoolExecutor ciphers;
  private final ThreadPoolExecutor resolvers;
  private final Thread thread;
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger waitingCount = new AtomicInteger();
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean closed;

  // Of the thread.
  private final ArrayDeque<Attempt> waiting = new ArrayDeque<>();
  private final PriorityQueue<Attempt> due =
      new PriorityQueue<>(Comparator.comparingLong(attempt -> attempt.due - Attempt.ORIGIN));
  private SSLContext tls;

  /**
   * Starts the thread.
   *
   * @param name of the daemon, for threads
   * @param relay for tasks in networks of their own; closed with this
   * @param metrics gets {@code slave/check_probes_running}, of those that count towards the bound,
   *     {@code slave/check_probes_waiting} for it, and {@code slave/check_probes_open}, all
   *     connections
   */
  public NetworkProbes(String name, NetworkRelay relay, Metrics metrics) throws IOException {
    this(name, relay, metrics, Path.of("/proc"), MOST_UNDER_WAY, COUNTED);
  }

  NetworkProbes(
      String name,
      NetworkRelay relay,
      Metrics metrics,
      Path proc,
      int mostUnderWay,
      Duration counted)
      throws IOException {
    this.relay = relay;
    this.namespaces = new NetworkNamespaces(proc);
    this.mostUnderWay = mostUnderWay;
    this.counted = counted;
    selector = Selector.open();
    ciphers = pool(name + "-check-ciphers-", Integer.MAX_VALUE);
    resolvers = pool(name + "-check-names-", MOST_RESOLVING);
    metrics.gauge("slave/check_probes_running", underWay::get);
    metrics.gauge("slave/check_probes_waiting", waitingCount::get);
    metrics.gauge("slave/check_probes_open", open::get);
    thread = new Thread(this::run, name + "-checks");
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

  @Override
  public Probing probe(Subject subject, Probe probe, Duration timeout, Consumer<Outcome> done) {
    if (probe instanceof Probe.Command command) {
      return subject.run(command.command(), timeout, done);
    }
    Attempt attempt =
        probe instanceof Probe.Http http
            ? new HttpAttempt(this, http, subject.pid(), timeout, done)
            : new TcpAttempt(this, (Probe.Tcp) probe, subject.pid(), timeout, done);
    order(
        () -> {
          waiting.add(attempt);
          admit();
        });
    return () ->
        order(
            () -> {
              attempt.silence();
              if (waiting.remove(attempt)) {
                waitingCount.set(waiting.size());
              } else {
                attempt.end();
              }
            });
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
        late.forEach(attempt -> guarded(() -> attempt.due(now)));
        late.clear();
      }
    } catch (IOException | RuntimeException | Error e) {
      LOG.error("The thread of checks ended; no check by HTTP or TCP is made any more", e);
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

  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.error("A probe failed in an unforeseen way", e);
    }
  }

  private void admit() {
    while (underWay.get() < mostUnderWay && !waiting.isEmpty()) {
      Attempt next = waiting.poll();
      underWay.incrementAndGet();
      guarded(
          () -> {
            next.begin();
            NetworkNamespaces.Place place = namespaces.of(next.pid);
            if (place.obstacle().isPresent()) {
              next.finish(place.obstacle().get());
            } else if (place.elsewhere()) {
              enter(next);
            } else {
              next.guarded(next::connect);
            }
          });
    }
    waitingCount.set(waiting.size());
  }

  private void enter(Attempt attempt) {
    attempt.via(relay);
    if (relay.runs()) {
      attempt.guarded(attempt::connect);
      return;
    }
    AtomicReference<IOException> problem = new AtomicReference<>();
    compute(
        () -> {
          try {
            relay.start();
          } catch (IOException e) {
            problem.set(e);
          }
        },
        attempt,
        () -> {
          if (problem.get() != null) {
            throw problem.get();
          }
          attempt.connect();
        });
  }

  Duration counted() {
    return counted;
  }

  Selector selector() {
    return selector;
  }

  void opened() {
    open.incrementAndGet();
  }

  void closedOne() {
    open.decrementAndGet();
  }

  /** One counts no more among those under way. */
  void makeRoom() {
    underWay.decrementAndGet();
    order(this::admit);
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
      attempt.finish(new Outcome.Failed("too many names are being looked up"));
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
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    relay.close();
  }
}
