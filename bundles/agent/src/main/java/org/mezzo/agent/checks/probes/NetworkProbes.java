package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;
import org.mezzo.agent.checks.Prober;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.api.Metrics;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the checkers of an agent look at its tasks: for checks by HTTP and TCP. So many looks are
 * under way at a time at most; others wait, which counts against nobody's timeout. One that takes
 * long makes room for others, so that tasks which never answer hold up nobody else. Where a task is
 * in another network than the agent, a {@link NetworkRelay} makes the connection. Commands are
 * handed to the task. Safe for any thread.
 *
 * <p>A checker that gives no verdict leaves everything as it is ({@link Outcome.Unknown}).
 */
public final class NetworkProbes implements Prober, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkProbes.class);

  /** How many are under way before others wait. */
  private static final int MOST_UNDER_WAY = 256;

  /** How long one is counted among those. */
  private static final Duration COUNTED = Duration.ofSeconds(10);

  /** How much later than its time a verdict may come. */
  static final Duration LATE = Duration.ofSeconds(5);

  /** How often a look that a swap has cut off is made anew. */
  private static final int MOST_ANEW = 3;

  /** After so long connections are closed that a checker has left. */
  private static final Duration LEFT = Duration.ofSeconds(10);

  /** Longer than that is for ever. */
  private static final Duration LONGEST = Duration.ofDays(3_650);

  private static final int LONGEST_REASON = 1_000;
  private static final long SAID_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final NetworkNamespaces namespaces;
  private final NetworkRelay relay;
  private final int mostUnderWay;
  private final Duration counted;
  private final ModuleLease<Checker> http;
  private final ModuleLease<Checker> tcp;
  private final Metrics.Counter unknown;
  private final ScheduledThreadPoolExecutor thread;
  private final ThreadPoolExecutor starter;
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger waitingCount = new AtomicInteger();
  private final AtomicInteger open = new AtomicInteger();

  // Of the thread.
  private final ArrayDeque<Asked> waiting = new ArrayDeque<>();
  private long saidNanos = System.nanoTime() - SAID_NANOS;
  private long unsaid;

  /**
   * Starts the thread and leases the checkers.
   *
   * @param name of the daemon, for threads
   * @param relay for tasks in networks of their own; closed with this
   * @param metrics gets {@code slave/check_probes_running}, of those that count towards the bound,
   *     {@code slave/check_probes_waiting} for it, {@code slave/check_probes_open}, all
   *     connections, and {@code slave/mezzo/check_probes_unknown}, looks without a verdict
   */
  public NetworkProbes(String name, DaemonModules modules, NetworkRelay relay, Metrics metrics) {
    this(name, modules, relay, metrics, Path.of("/proc"), MOST_UNDER_WAY, COUNTED);
  }

  NetworkProbes(
      String name,
      DaemonModules modules,
      NetworkRelay relay,
      Metrics metrics,
      Path proc,
      int mostUnderWay,
      Duration counted) {
    this.relay = relay;
    this.namespaces = new NetworkNamespaces(proc);
    this.mostUnderWay = mostUnderWay;
    this.counted = counted;
    thread =
        new ScheduledThreadPoolExecutor(
            1, task -> daemon(task, name + "-checks"), new ThreadPoolExecutor.DiscardPolicy());
    thread.setRemoveOnCancelPolicy(true);
    starter =
        new ThreadPoolExecutor(
            0,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> daemon(task, name + "-checks-relay"),
            new ThreadPoolExecutor.DiscardPolicy());
    metrics.gauge("slave/check_probes_running", underWay::get);
    metrics.gauge("slave/check_probes_waiting", waitingCount::get);
    metrics.gauge("slave/check_probes_open", open::get);
    unknown = metrics.counter("slave/mezzo/check_probes_unknown");
    http = modules.lease(Kinds.CHECKER, "http", thread);
    tcp = modules.lease(Kinds.CHECKER, "tcp", thread);
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    return thread;
  }

  @Override
  public Probing probe(Subject subject, Probe probe, Duration timeout, Consumer<Outcome> done) {
    if (probe instanceof Probe.Command command) {
      return subject.run(command.command(), timeout, done);
    }
    Asked asked = new Asked(subject.name(), subject.pid(), probe, timeout, done);
    thread.execute(
        () -> {
          waiting.add(asked);
          admit();
        });
    return () -> thread.execute(asked::cancel);
  }

  private void admit() {
    while (underWay.get() < mostUnderWay && !waiting.isEmpty()) {
      underWay.incrementAndGet();
      Asked next = waiting.remove();
      try {
        next.begin();
      } catch (RuntimeException e) {
        LOG.error("A probe of task '{}' failed in an unforeseen way", next.task, e);
        next.finish(new Outcome.Unknown(String.valueOf(e.getMessage())));
      }
    }
    waitingCount.set(waiting.size());
  }

  /** Ends what is under way; nobody is told any more. */
  @Override
  public void close() {
    thread.shutdownNow();
    starter.shutdownNow();
    http.close();
    tcp.close();
    relay.close();
  }

  /** One probe. For the thread only. */
  private final class Asked {
    private final String task;
    private final long pid;
    private final Probe probe;
    private final Duration timeout;
    private final Consumer<Outcome> done;
    private Future<?> uncounting = CompletableFuture.completedFuture(null);
    private boolean counts = true;
    private boolean over;
    private int anew;
    private Optional<Look> look = Optional.empty();
    private CompletableFuture<?> reply = CompletableFuture.completedFuture(null);

    Asked(String task, long pid, Probe probe, Duration timeout, Consumer<Outcome> done) {
      this.task = task;
      this.pid = pid;
      this.probe = probe;
      this.timeout = timeout;
      this.done = done;
    }

    void begin() {
      uncounting = thread.schedule(this::uncount, counted.toMillis(), TimeUnit.MILLISECONDS);
      NetworkNamespaces.Place place = namespaces.of(pid);
      if (place.obstacle().isPresent()) {
        finish(place.obstacle().get());
      } else if (!place.elsewhere()) {
        ask(Optional.empty());
      } else if (relay.runs()) {
        ask(Optional.of(relay));
      } else {
        starter.execute(
            () -> {
              try {
                relay.start();
                thread.execute(() -> ask(Optional.of(relay)));
              } catch (NetworkRelay.ImpossibleException e) {
                thread.execute(() -> finish(e.outcome()));
              } catch (IOException e) {
                thread.execute(() -> finish(new Outcome.Failed(String.valueOf(e.getMessage()))));
              }
            });
      }
    }

    private void uncount() {
      if (counts) {
        counts = false;
        uncounting.cancel(false);
        underWay.decrementAndGet();
        // Not here: of thousands that wait each may end as soon as it is admitted.
        thread.execute(NetworkProbes.this::admit);
      }
    }

    private void ask(Optional<NetworkRelay> by) {
      if (over) {
        return;
      }
      Look next = new Look(task, pid, probe, timeout, by, open);
      look = Optional.of(next);
      ModuleLease.Terms terms = ModuleLease.Terms.of("check");
      CompletionStage<CheckResult> asked =
          (probe instanceof Probe.Http ? http : tcp)
              .askLater(
                  // A task that does not answer is no fault of the checker, which has to say so.
                  timeout.isZero() || timeout.compareTo(LONGEST) > 0
                      ? terms
                      : terms.within(timeout.plus(LATE)),
                  checker -> Objects.requireNonNull(checker.check(next), "check returned null"));
      reply = asked.toCompletableFuture();
      asked.whenComplete(
          (result, failure) -> {
            if (!over && look.equals(Optional.of(next))) {
              leave(next);
              if (next.impossible().isPresent()) {
                finish(next.impossible().get());
              } else if (failure == null) {
                finish(outcome(result));
              } else if (isCutOff(failure) && anew < MOST_ANEW) {
                anew++;
                ask(by);
              } else {
                finish(new Outcome.Unknown(reason(failure)));
              }
            }
          });
    }

    private Outcome outcome(CheckResult result) {
      boolean page = probe instanceof Probe.Http;
      return switch (result.kind()) {
        case ANSWERED -> page ? new Outcome.Answered(result.status()) : lie(result);
        case CONNECTED -> page ? lie(result) : new Outcome.Connected(true, "");
        case REFUSED ->
            page
                ? new Outcome.Failed(cut(result.reason()))
                : new Outcome.Connected(false, cut(result.reason()));
        case FAILED -> new Outcome.Failed(cut(result.reason()));
      };
    }

    private Outcome lie(CheckResult result) {
      return new Outcome.Unknown(
          "it said " + result.kind() + ", which does not come of such a check");
    }

    /** What the checker has of it is of no use any more. */
    private void leave(Look ended) {
      if (ended.end()) {
        thread.schedule(ended::closeAll, LEFT.toMillis(), TimeUnit.MILLISECONDS);
      }
    }

    private void finish(Outcome outcome) {
      if (!over) {
        over = true;
        if (outcome instanceof Outcome.Unknown without) {
          unknown.increment();
          say(this, without);
        }
        done.accept(outcome);
        uncount();
      }
    }

    void cancel() {
      if (over) {
        return;
      }
      over = true;
      if (waiting.remove(this)) {
        waitingCount.set(waiting.size());
        return;
      }
      reply.cancel(true);
      look.ifPresent(this::leave);
      uncount();
    }
  }

  /** Once a minute: there may be thousands of tasks that are not looked at. */
  private void say(Asked asked, Outcome.Unknown why) {
    unsaid++;
    long now = System.nanoTime();
    if (now - saidNanos >= SAID_NANOS) {
      LOG.warn(
          "Checker '{}' gave no verdict on task '{}', and {} since that was said before: {}. What"
              + " is known of the health of tasks stays as it was; see to the module",
          asked.probe instanceof Probe.Http ? "http" : "tcp",
          asked.task,
          unsaid == 1 ? "on no other" : "on " + (unsaid - 1) + " others",
          why.describe());
      saidNanos = now;
      unsaid = 0;
    }
  }

  /** Whether whoever looked is gone, and somebody else may be there who can look. */
  private static boolean isCutOff(Throwable failure) {
    return root(failure) instanceof ModuleException module
        && (module.kind() == ModuleException.Kind.STALE
            || module.kind() == ModuleException.Kind.ABSENT);
  }

  private static String reason(Throwable failure) {
    return cut(String.valueOf(root(failure).getMessage()));
  }

  private static Throwable root(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private static String cut(String reason) {
    return reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON);
  }
}
