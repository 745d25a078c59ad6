package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleException.Kind;
import org.mezzo.modules.ModuleLease;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One lease. Everything but the public methods is called under the lock of the table. */
final class Lease<M extends Module> implements ModuleLease<M> {
  private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

  /** A module that failed in this lease. */
  private static final class Quarantine {
    String problem = "";
    long untilNanos;
    int strikes;
    boolean active;
  }

  /** What is counted, once per lease. */
  static final class Numbers {
    final Metrics.Counter calls;
    final Metrics.Counter failures;
    final Metrics.Counter late;
    final Metrics.Counter overloaded;
    final Metrics.Counter quarantines;
    final Metrics.Counter swaps;

    Numbers(Metrics metrics) {
      calls = metrics.counter("calls");
      failures = metrics.counter("failures");
      late = metrics.counter("late");
      overloaded = metrics.counter("overloaded");
      quarantines = metrics.counter("quarantines");
      swaps = metrics.counter("swaps");
    }
  }

  private final LeaseTable table;
  private final LeaseRequest<M> request;
  private final Numbers numbers;
  private final Map<Registration, Quarantine> quarantines = new HashMap<>();
  private final Queue<Runnable> outbox = new ConcurrentLinkedQueue<>();
  private final AtomicInteger backlog = new AtomicInteger();
  private String name;
  private Holder<M> holder;
  private Holder<M> opening;
  private long epochs;
  private volatile long epoch;
  private long vacantSince;
  private long gapNanos;
  private boolean closed;

  Lease(LeaseTable table, LeaseRequest<M> request) {
    this.table = table;
    this.request = request;
    this.numbers = new Numbers(request.context().metrics());
    this.name = request.name();
  }

  void measure() {
    Metrics metrics = request.context().metrics();
    metrics.gauge("backlog", this::backlog);
    metrics.gauge("vacant", () -> epoch == 0 ? 1 : 0);
    metrics.gauge("abandoned_threads", table::abandonedThreads);
  }

  LeaseRequest<M> request() {
    return request;
  }

  LeaseTable table() {
    return table;
  }

  AtomicInteger backlogCount() {
    return backlog;
  }

  boolean wants(String kind, String module) {
    return request.kind().equals(kind) && name.equals(module);
  }

  DaemonContext context() {
    return request.context();
  }

  String daemon() {
    return request.context().daemon();
  }

  Numbers numbers() {
    return numbers;
  }

  boolean isHeldBy(Registration registration) {
    return holder != null && holder.registration() == registration;
  }

  boolean isOpening(Registration registration) {
    return opening != null && opening.registration() == registration;
  }

  Optional<String> problem(Registration registration) {
    Quarantine quarantine = quarantines.get(registration);
    return quarantine != null && quarantine.active
        ? Optional.of(quarantine.problem)
        : Optional.empty();
  }

  /**
   * Has something done on the events executor, after everything posted before. The executor is
   * entered without the lock; whichever thread gets there first runs the oldest action.
   */
  void post(Runnable action) {
    outbox.add(action);
    table.afterwards(
        () -> {
          try {
            request.events().execute(() -> outbox.remove().run());
          } catch (RejectedExecutionException e) {
            LOG.debug("{} takes no events any more", daemon(), e);
          }
        });
  }

  /** Looks again who should hold this lease, and starts moving it there. */
  void reconcile() {
    if (closed) {
      return;
    }
    if (opening != null) {
      if (table.usable(opening.registration()) && matches(opening.registration())) {
        dropUnusableHolder(true);
        return;
      }
      opening.retire(Kind.ABSENT, "the module is not wanted any more");
      opening = null;
    }
    Registration best = best();
    boolean replaceable = best != null && !isHeldBy(best);
    dropUnusableHolder(replaceable);
    if (best == null || isHeldBy(best)) {
      return;
    }
    opening = new Holder<>(this, best);
    opening.open();
  }

  /** A holder whose service is gone is lost at once; a drained one may stay for its successor. */
  private void dropUnusableHolder(boolean successorComes) {
    if (holder == null) {
      return;
    }
    if (!table.isRegistered(holder.registration())) {
      lose(Kind.ABSENT, "its service was withdrawn");
    } else if (table.isDrained(holder.registration()) && !successorComes) {
      lose(Kind.ABSENT, "its bundle is drained and no other module has its name");
    }
  }

  private boolean matches(Registration registration) {
    return registration.announcement().kind().equals(request.kind())
        && registration.announcement().name().equals(name)
        && registration.provides(request.type());
  }

  /**
   * The candidate installed last that has not failed; when all have failed, one that was left alone
   * long enough.
   */
  private Registration best() {
    Registration sound = null;
    Registration failed = null;
    long now = System.nanoTime();
    for (Registration candidate : table.registrations()) {
      if (!table.usable(candidate) || !matches(candidate)) {
        continue;
      }
      Quarantine quarantine = quarantines.get(candidate);
      if (quarantine == null || !quarantine.active) {
        sound = better(sound, candidate);
      } else if (now - quarantine.untilNanos >= 0 && table.mayRiskThread()) {
        failed = better(failed, candidate);
      }
    }
    if (sound != null) {
      return sound;
    }
    // Whoever holds the lease under a name selected before serves better than one that failed.
    return holder != null && table.usable(holder.registration()) ? null : failed;
  }

  private static Registration better(Registration a, Registration b) {
    return a == null || LeaseTable.PREFERENCE.compare(a, b) < 0 ? b : a;
  }

  /** The instance is open: the lease moves to it without a moment in between. */
  void opened(Holder<M> successor) {
    if (opening != successor) {
      return;
    }
    opening = null;
    Holder<M> old = holder;
    holder = successor;
    gapNanos = old == null && epochs > 0 ? System.nanoTime() - vacantSince : 0;
    epoch = ++epochs;
    successor.acquired(epoch);
    Quarantine quarantine = quarantines.get(successor.registration());
    if (quarantine != null) {
      quarantine.active = false;
    }
    ModuleDescription newModule = table.describe(successor.registration());
    LOG.info(
        "{} uses {} from {} {}{}",
        daemon(),
        label(successor.registration()),
        newModule.bundleName(),
        newModule.bundleVersion(),
        old == null ? "" : " instead of " + bundle(old.registration()));
    if (old == null) {
      post(() -> tellAcquired(successor.epoch(), newModule));
    } else {
      numbers.swaps.increment();
      ModuleDescription oldModule = table.describe(old.registration());
      String reason = "replaced by " + bundle(successor.registration());
      List<Runnable> replies = old.refusePending(Kind.STALE, reason);
      post(
          () -> {
            replies.forEach(Runnable::run);
            tellLost(old.epoch(), oldModule, reason);
            tellAcquired(successor.epoch(), newModule);
          });
      old.retire(Kind.STALE, reason);
    }
    reconcile();
  }

  /** The holder, or the one that was to be it, failed; it goes on nowhere and is left alone. */
  void failed(Holder<M> culprit, String problem, long heldNanos) {
    if (culprit != holder && culprit != opening) {
      return;
    }
    Registration registration = culprit.registration();
    if (!table.isRegistered(registration)) {
      reconcile();
      return;
    }
    Quarantine quarantine = quarantines.computeIfAbsent(registration, r -> new Quarantine());
    Limits limits = table.limits();
    quarantine.strikes =
        heldNanos > limits.lastBackoff().toNanos() ? 1 : Math.min(quarantine.strikes + 1, 1000);
    Duration backoff = limits.backoff(quarantine.strikes);
    quarantine.problem = problem;
    quarantine.active = true;
    quarantine.untilNanos = System.nanoTime() + backoff.toNanos();
    numbers.quarantines.increment();
    LOG.error(
        "{} of {} is quarantined for {}: {}. Replace or remove the bundle {}",
        label(registration),
        daemon(),
        backoff,
        problem,
        bundle(registration));
    if (culprit == opening) {
      opening.retire(Kind.ABSENT, problem);
      opening = null;
    } else {
      lose(Kind.ABSENT, problem);
    }
    table.schedule(backoff, this::reconcile);
    reconcile();
    reportVacancy();
  }

  private void lose(Kind kind, String reason) {
    Holder<M> old = holder;
    holder = null;
    epoch = 0;
    vacantSince = System.nanoTime();
    ModuleDescription module = table.describe(old.registration());
    List<Runnable> replies = old.refusePending(kind, reason);
    post(
        () -> {
          replies.forEach(Runnable::run);
          tellLost(old.epoch(), module, reason);
        });
    old.retire(kind, reason);
    LOG.warn("{} lost {}: {}", daemon(), label(old.registration()), firstLine(reason));
  }

  void revoke(long bundleId) {
    if (holder != null && holder.registration().announcement().bundleId() == bundleId) {
      lose(Kind.ABSENT, "its bundle is drained and no successor was ready in time");
      reportVacancy();
    }
  }

  void reportVacancy() {
    if (holder == null && opening == null && !closed) {
      LOG.warn(
          "{} has no {} named '{}'; it goes on without until such a module is installed",
          daemon(),
          request.kind(),
          name);
    }
  }

  void forget(Registration registration) {
    quarantines.remove(registration);
  }

  private void tellAcquired(long acquired, ModuleDescription module) {
    try {
      request.listener().acquired(acquired, module);
    } catch (RuntimeException e) {
      LOG.error("{} failed to take over {} {}", daemon(), module.kind(), module.name(), e);
    }
  }

  private void tellLost(long lost, ModuleDescription module, String reason) {
    try {
      request.listener().lost(lost, module, reason);
    } catch (RuntimeException e) {
      LOG.error("{} failed to let go of {} {}", daemon(), module.kind(), module.name(), e);
    }
  }

  static String label(Registration registration) {
    return registration.announcement().kind() + " '" + registration.announcement().name() + "'";
  }

  private static String bundle(Registration registration) {
    return registration.announcement().bundleName()
        + " "
        + registration.announcement().bundleVersion();
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  LeaseDescription describe() {
    return new LeaseDescription(
        daemon(),
        request.kind(),
        name,
        epoch,
        backlog(),
        Duration.ofNanos(gapNanos),
        holder == null || request.concurrency() > 1 ? Duration.ZERO : holder.busy(),
        holder == null ? 0 : holder.throwsInARow(),
        Optional.ofNullable(holder).map(Holder::registration).map(table::describe));
  }

  @Override
  public void select(String selected) {
    table.locked(
        () -> {
          name = selected;
          reconcile();
          if (!closed && opening == null && !(holder != null && matches(holder.registration()))) {
            LOG.warn(
                "{} wants the {} '{}', which no installed bundle offers; {}",
                daemon(),
                request.kind(),
                selected,
                holder == null
                    ? "it goes on without until such a module is installed"
                    : "it keeps the present one until then");
          }
        });
  }

  @Override
  public long epoch() {
    return epoch;
  }

  @Override
  public Optional<ModuleDescription> holder() {
    ModuleDescription[] description = new ModuleDescription[1];
    table.locked(
        () -> description[0] = holder == null ? null : table.describe(holder.registration()));
    return Optional.ofNullable(description[0]);
  }

  @Override
  public <R> CompletionStage<R> call(
      long calledEpoch, String operation, Duration deadline, Call<M, R> call) {
    CompletableFuture<R> reply = new CompletableFuture<>();
    table.locked(
        () -> {
          if (holder == null) {
            refuse(
                reply,
                Kind.ABSENT,
                "no " + request.kind() + " named '" + name + "' holds the lease");
          } else if (calledEpoch != epoch) {
            refuse(
                reply,
                Kind.STALE,
                "the holder of epoch " + calledEpoch + " was replaced, now it is " + epoch);
          } else if (backlog.get() >= table.limits().mailbox()) {
            numbers.overloaded.increment();
            refuse(reply, Kind.OVERLOADED, backlog.get() + " calls wait already");
          } else {
            holder.enqueue(operation, deadline, call, reply);
          }
        });
    return reply;
  }

  private void refuse(CompletableFuture<?> reply, Kind kind, String message) {
    post(() -> reply.completeExceptionally(new ModuleException(kind, message, null)));
  }

  @Override
  public int backlog() {
    return backlog.get();
  }

  @Override
  public void close() {
    table.locked(
        () -> {
          if (closed) {
            return;
          }
          closed = true;
          String reason = "the lease was closed";
          if (opening != null) {
            opening.retire(Kind.ABSENT, reason);
            opening = null;
          }
          if (holder != null) {
            Holder<M> old = holder;
            holder = null;
            epoch = 0;
            old.refusePending(Kind.ABSENT, reason).forEach(this::post);
            old.retire(Kind.ABSENT, reason);
          }
          table.ended(this);
        });
  }
}
