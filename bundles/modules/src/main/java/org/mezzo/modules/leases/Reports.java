package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.api.Sink;
import org.mezzo.modules.Subscription;
import org.mezzo.modules.Subscription.Flavour;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the instances of one lease report to one subscription. What waits belongs to the lease, not
 * to the instance that has reported it.
 *
 * <p>A lock of its own guards it, which may be taken with any other held; no code of modules and
 * daemons runs with it.
 */
final class Reports<M extends Module, T> {
  private static final Logger LOG = LoggerFactory.getLogger(Reports.class);
  private static final int MOST_TRIES = 10;

  /** One report. */
  private static final class Report<T> {
    final T value;
    final long epoch;
    int tries;

    Report(T value, long epoch) {
      this.value = value;
      this.epoch = epoch;
    }
  }

  /** The sink of one instance. */
  private final class Given implements Sink<T> {
    final Holder<M> holder;

    /** What it has reported before it holds the lease. */
    final Deque<T> early = new ArrayDeque<>();

    /** 0 as long as it does not. */
    long epoch;

    Given(Holder<M> holder) {
      this.holder = holder;
    }

    @Override
    public Receipt report(T report) {
      return take(this, Objects.requireNonNull(report, "a report is null"));
    }
  }

  private final Lease<M> lease;
  private final Subscription<M, T> subscription;
  private final Metrics.Counter taken;
  private final Metrics.Counter refused;
  private final Metrics.Counter failed;

  /** How long a daemon that fails at a report is left alone with it. */
  private final Duration pause;

  private final Object lock = new Object();
  private final Deque<Report<T>> waiting = new ArrayDeque<>();
  private Given opening;
  private Given holding;

  /** Somebody delivers what waits, or will. */
  private boolean delivering;

  /** A report was refused since the last time that none waited. */
  private boolean overflown;

  private boolean closed;

  Reports(Lease<M> lease, Subscription<M, T> subscription) {
    this.lease = lease;
    this.subscription = subscription;
    Metrics metrics = lease.request().context().metrics();
    taken = metrics.counter("reports");
    refused = metrics.counter("reports_refused");
    failed = metrics.counter("reports_failed");
    pause = lease.table().limits().apply(lease.request().kind().breaker()).firstReopening();
  }

  int waiting() {
    synchronized (lock) {
      return waiting.size() + (opening == null ? 0 : opening.early.size());
    }
  }

  /** Gives an instance that takes over its sink; runs code of the module. */
  void give(Holder<M> successor, M module) throws Exception {
    Given given = new Given(successor);
    synchronized (lock) {
      // A thread that was given up while it took over may come by late.
      if (successor.isValid()) {
        opening = given;
      }
    }
    subscription.giving().give(module, given);
  }

  /** It holds the lease: what it has reported counts. Under the lock of the table. */
  void moved(Holder<M> successor, long epoch) {
    boolean start;
    synchronized (lock) {
      Given given = opening;
      opening = null;
      holding = given != null && given.holder == successor ? given : null;
      if (isLevel()) {
        waiting.clear();
      }
      if (holding != null) {
        holding.epoch = epoch;
        holding.early.forEach(report -> waiting.add(new Report<>(report, epoch)));
        holding.early.clear();
      }
      start = mustStart();
    }
    if (start) {
      lease.table().afterwards(this::deliver);
    }
  }

  /** It does not hold the lease any more, or will not. */
  void left(Holder<M> holder) {
    synchronized (lock) {
      if (opening != null && opening.holder == holder) {
        opening = null;
      }
      if (holding != null && holding.holder == holder) {
        holding = null;
        if (isLevel()) {
          waiting.clear();
        }
      }
    }
  }

  void close() {
    synchronized (lock) {
      closed = true;
      waiting.clear();
      opening = null;
      holding = null;
    }
  }

  private boolean isLevel() {
    return subscription.flavour() == Flavour.LEVEL;
  }

  private Sink.Receipt take(Given given, T report) {
    boolean start;
    synchronized (lock) {
      // Of events, those of an instance whose calls end beside its successor count, too.
      boolean speaks = given == opening || given == holding || given.epoch > 0 && !isLevel();
      if (closed || !speaks || !given.holder.isValid()) {
        return Sink.Receipt.RETIRED;
      }
      if (isLevel()) {
        (given == opening ? given.early : waiting).clear();
      } else if (waiting() >= subscription.bound()) {
        refused.increment();
        if (!overflown) {
          overflown = true;
          LOG.warn(
              "{} has {} '{}' of {} to handle, the most that may wait, and refuses more",
              lease.daemon(),
              subscription.bound(),
              subscription.name(),
              Lease.label(given.holder.registration()));
        }
        return Sink.Receipt.FULL;
      }
      if (given == opening) {
        given.early.add(report);
      } else {
        waiting.add(new Report<>(report, given.epoch));
      }
      taken.increment();
      start = mustStart();
    }
    if (start) {
      deliver();
    }
    return Sink.Receipt.TAKEN;
  }

  /** Under the lock: whether somebody must begin to deliver, which counts as begun. */
  private boolean mustStart() {
    boolean start = !delivering && !waiting.isEmpty();
    delivering |= start;
    return start;
  }

  private void deliver() {
    try {
      lease.request().events().execute(this::handleAll);
    } catch (RejectedExecutionException e) {
      LOG.debug("{} takes no events now", lease.daemon(), e);
      deliverLater();
    }
  }

  private void deliverLater() {
    synchronized (lock) {
      if (closed) {
        return;
      }
    }
    lease.table().later(pause, this::deliver);
  }

  /**
   * On the events executor. Everything at once: the reply of a call, which is an event of its own
   * behind this one, must not overtake what was reported before the call returned.
   */
  private void handleAll() {
    while (true) {
      Report<T> report;
      synchronized (lock) {
        report = waiting.peek();
        if (report == null) {
          delivering = false;
          overflown = false;
          return;
        }
      }
      if (!handle(report)) {
        deliverLater();
        return;
      }
      synchronized (lock) {
        // A level may have been followed by another meanwhile.
        if (waiting.peek() == report) {
          waiting.remove();
        }
      }
    }
  }

  /** Whether nothing is to be done with it any more. */
  private boolean handle(Report<T> report) {
    try {
      subscription.handler().handle(report.value, report.epoch);
      return true;
    } catch (RuntimeException | Error e) {
      failed.increment();
      boolean drop = ++report.tries >= MOST_TRIES;
      LOG.error(
          "{} failed to handle '{}' of {} '{}'; it {}",
          lease.daemon(),
          subscription.name(),
          lease.request().kind().name(),
          lease.name(),
          drop ? "has failed " + report.tries + " times and is dropped" : "is tried again",
          e);
      return drop;
    }
  }
}
