package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.modules.Kind.Breaker;
import org.mezzo.modules.Kind.Moving;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.Loan;
import org.mezzo.modules.ModuleConfiguration.Changed;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException.Kind;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.Takeover;
import org.mezzo.modules.leases.Call.Answering;
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
    final CallTimes times = new CallTimes();

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
  private final ModuleMetrics moduleMetrics;
  private final Mailbox<M> mailbox;
  private final List<Reports<M, ?>> reports;
  private final Reconfiguration<M> reconfiguration;
  private final Map<Registration, Quarantine> quarantines = new HashMap<>();
  private volatile String name;
  private volatile Holder<M> holder;
  private Holder<M> opening;

  /** Calls are held until {@link #opening} holds the lease. */
  private boolean handing;

  /** The holder is to be replaced though nobody is better; until somebody has replaced it. */
  private boolean renewing;

  private long epochs;
  private long vacantSince;
  private long gapNanos;
  private boolean closed;

  Lease(LeaseTable table, LeaseRequest<M> request) {
    this.table = table;
    this.request = request;
    this.numbers = new Numbers(request.context().metrics());
    this.moduleMetrics = new ModuleMetrics(request.context().metrics());
    this.mailbox = new Mailbox<>(this, table, request.kind());
    this.reports =
        request.subscriptions().stream()
            .<Reports<M, ?>>map(subscription -> new Reports<>(this, subscription))
            .toList();
    this.reconfiguration = new Reconfiguration<>(this);
    this.name = request.name();
  }

  void measure() {
    Metrics metrics = request.context().metrics();
    metrics.gauge("backlog", this::backlog);
    numbers.times.measure(metrics);
    metrics.gauge("vacant", () -> mailbox.epoch() == 0 ? 1 : 0);
    metrics.gauge("unhealthy", () -> illness().isEmpty() ? 0 : 1);
    metrics.gauge("abandoned_threads", table::abandonedThreads);
    if (!reports.isEmpty()) {
      metrics.gauge("reports_waiting", () -> reports.stream().mapToInt(Reports::waiting).sum());
    }
  }

  LeaseRequest<M> request() {
    return request;
  }

  LeaseTable table() {
    return table;
  }

  Mailbox<M> mailbox() {
    return mailbox;
  }

  String name() {
    return name;
  }

  boolean wants(String kind, String module) {
    return request.kind().name().equals(kind) && name.equals(module);
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

  ModuleMetrics moduleMetrics() {
    return moduleMetrics;
  }

  /** Whether calls are held for a successor. */
  boolean isHanding() {
    boolean[] now = new boolean[1];
    table.locked(() -> now[0] = handing);
    return now[0];
  }

  boolean isHeldBy(Registration registration) {
    return holder != null && holder.registration() == registration;
  }

  /** What the holder says is wrong with it; empty when nothing is, or nobody holds it. */
  String illness() {
    Holder<M> now = holder;
    return now == null ? "" : now.health().illness();
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

  /** Has an instance hold it that works with the parameters that are set now. */
  CompletableFuture<Changed> configure() {
    return reconfiguration.begin();
  }

  /** Who holds it. */
  Optional<Holder<M>> serving() {
    return Optional.ofNullable(holder);
  }

  /** Whether somebody is to hold it soon. */
  boolean isOpening() {
    return opening != null;
  }

  /** Whether an instance is of the module that is selected now. */
  boolean isOfItsName(Holder<M> instance) {
    return matches(instance.registration());
  }

  /** Nobody is to hold it who has other parameters than these. */
  void dropOutdatedOpening(Map<String, String> values) {
    if (opening != null && !opening.values().equals(values)) {
      dropOpening("its parameters were changed");
    }
  }

  /** Another instance, of the same module where none is better, is to take over. */
  void beginAnew() {
    renewing = true;
    reconcile();
  }

  /** What has failed gets its chance now. */
  void pardon() {
    quarantines.values().forEach(quarantine -> quarantine.active = false);
    reconcile();
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
      dropOpening("the module is not wanted any more");
    }
    Registration best = best();
    boolean replaceable = best != null && (renewing || !isHeldBy(best));
    dropUnusableHolder(replaceable);
    if (!replaceable) {
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
      lose("its service was withdrawn");
    } else if (table.isDrained(holder.registration()) && !successorComes) {
      lose("its bundle is drained and no other module has its name");
    }
  }

  private boolean matches(Registration registration) {
    return registration.announcement().kind().equals(request.kind().name())
        && registration.announcement().name().equals(name)
        && registration.provides(request.kind().type());
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
    return holder != null && !renewing && table.usable(holder.registration()) ? null : failed;
  }

  private static Registration better(Registration a, Registration b) {
    return a == null || LeaseTable.PREFERENCE.compare(a, b) < 0 ? b : a;
  }

  /**
   * The instance is open. Where calls of the kind follow each other they are held now, and the
   * lease moves when what has begun has ended; otherwise it moves at once.
   */
  void opened(Holder<M> successor) {
    if (opening != successor) {
      return;
    }
    if (holder == null || request.kind().moving() == Moving.BESIDE || !table.holdsCalls()) {
      prepare(successor);
      return;
    }
    handing = true;
    mailbox.hold();
    mailbox.whenIdle(
        holder,
        Optional.of(request.kind().handover()),
        () -> opening == successor,
        inTime -> prepare(successor));
  }

  /** Has the daemon hand its state to the successor, where it wants to. */
  private void prepare(Holder<M> successor) {
    if (opening != successor) {
      return;
    }
    if (request.takeover().isEmpty()) {
      if (reports.isEmpty()) {
        tookOver(successor);
      } else {
        takeOver(successor, module -> {});
      }
      return;
    }
    Takeover<M> takeover = request.takeover().get();
    if (holder == null && table.holdsCalls()) {
      // What is put from here on the successor may not be told of, so it waits for it: refused, it
      // would never come to a module that has just been given what was so before.
      handing = true;
      mailbox.hold();
    }
    mailbox.post(
        () -> {
          try {
            Action<M> action = takeover.prepare();
            table.locked(() -> takeOver(successor, action));
          } catch (Throwable t) {
            Thrown thrown = Thrown.of(t);
            LOG.error(
                "{} failed to hand over to {}",
                daemon(),
                label(successor.registration()),
                thrown.cause());
            String problem = "the daemon could not hand over: " + thrown.text();
            table.locked(() -> failed(successor, problem, 0));
          }
        });
  }

  private void takeOver(Holder<M> successor, Action<M> action) {
    if (opening == successor) {
      successor.takeOver(
          module -> {
            for (Reports<M, ?> each : reports) {
              each.give(successor, module);
            }
            action.apply(module);
          });
    }
  }

  /** The lease moves, without a moment in between. */
  void tookOver(Holder<M> successor) {
    if (opening != successor) {
      return;
    }
    opening = null;
    handing = false;
    renewing = false;
    Holder<M> old = holder;
    holder = successor;
    gapNanos = old == null && epochs > 0 ? System.nanoTime() - vacantSince : 0;
    successor.acquired(++epochs);
    reports.forEach(it -> it.moved(successor, epochs));
    reconfiguration.moved(successor);
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
    Runnable acquired = () -> tellAcquired(successor.epoch(), newModule);
    if (old == null) {
      mailbox.serve(successor, epochs, acquired);
    } else {
      numbers.swaps.increment();
      ModuleDescription oldModule = table.describe(old.registration());
      String reason = "replaced by " + bundle(successor.registration());
      Runnable lost = () -> tellLost(old.epoch(), oldModule, reason);
      if (request.kind().moving() == Moving.BESIDE && table.holdsCalls()) {
        mailbox.serve(successor, epochs, acquired);
        old.drain(request.kind().handover(), () -> mailbox.post(lost));
      } else {
        mailbox.refuseBegun(old, Kind.STALE, reason);
        mailbox.serve(
            successor,
            epochs,
            () -> {
              lost.run();
              acquired.run();
            });
        old.retire(Kind.STALE, reason);
      }
    }
    reconcile();
  }

  /** What was to hold the lease does not; whoever held it goes on. */
  private void dropOpening(String reason) {
    Holder<M> dropped = opening;
    opening = null;
    dropped.retire(Kind.ABSENT, reason);
    reports.forEach(it -> it.left(dropped));
    if (handing) {
      handing = false;
      mailbox.resume(reason);
      if (holder != null && holder.hasStuckThread()) {
        lose("a call that it had begun did not end");
      }
    }
  }

  /** The holder, or the one that was to be it, failed; it goes on nowhere and is left alone. */
  void failed(Holder<M> culprit, String problem, long heldNanos) {
    if (culprit != holder && culprit != opening) {
      return;
    }
    Registration registration = culprit.registration();
    if (culprit == opening && reconfiguration.failed(culprit, problem)) {
      renewing = false;
      dropOpening(problem);
      reconcile();
      return;
    }
    if (!table.isRegistered(registration)) {
      reconcile();
      return;
    }
    Quarantine quarantine = quarantines.computeIfAbsent(registration, r -> new Quarantine());
    Breaker breaker = table.limits().apply(request.kind().breaker());
    quarantine.strikes =
        heldNanos > breaker.lastReopening().toNanos() ? 1 : Math.min(quarantine.strikes + 1, 1000);
    Duration backoff = breaker.reopening(quarantine.strikes);
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
      dropOpening(problem);
    } else {
      lose(problem);
    }
    table.schedule(backoff, this::reconcile);
    reconcile();
    reportVacancy();
  }

  private void lose(String reason) {
    Holder<M> old = holder;
    holder = null;
    renewing = false;
    vacantSince = System.nanoTime();
    ModuleDescription module = table.describe(old.registration());
    mailbox.vacate(old, reason, () -> tellLost(old.epoch(), module, reason));
    old.retire(Kind.ABSENT, reason);
    reports.forEach(it -> it.left(old));
    LOG.warn("{} lost {}: {}", daemon(), label(old.registration()), firstLine(reason));
  }

  void revoke(long bundleId) {
    if (holder != null && holder.registration().announcement().bundleId() == bundleId) {
      lose("its bundle is drained and no successor was ready in time");
      reportVacancy();
    }
  }

  void reportVacancy() {
    if (holder == null && opening == null && !closed) {
      LOG.warn(
          "{} has no {} named '{}'; it goes on without until such a module is installed",
          daemon(),
          request.kind().name(),
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
        request.kind().name(),
        name,
        mailbox.epoch(),
        backlog(),
        Duration.ofNanos(gapNanos),
        holder == null || !request.kind().isSerial() ? Duration.ZERO : holder.busy(),
        holder == null ? 0 : holder.failedInARow(),
        holder == null ? "" : holder.failure(),
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
                request.kind().name(),
                selected,
                holder == null
                    ? "it goes on without until such a module is installed"
                    : "it keeps the present one until then");
          }
        });
  }

  @Override
  public long epoch() {
    return mailbox.epoch();
  }

  @Override
  public Optional<ModuleDescription> holder() {
    ModuleDescription[] description = new ModuleDescription[1];
    table.locked(
        () -> description[0] = holder == null ? null : table.describe(holder.registration()));
    return Optional.ofNullable(description[0]);
  }

  @Override
  public <R> CompletionStage<R> ask(Terms terms, ModuleLease.Call<M, R> call) {
    return put(terms, Answering.RESULT, call::apply);
  }

  @Override
  public <R> CompletionStage<R> askLater(
      Terms terms, ModuleLease.Call<M, CompletionStage<R>> call) {
    return put(terms, Answering.STAGE, call::apply);
  }

  @Override
  public <R> CompletionStage<Loan<R>> borrow(Terms terms, ModuleLease.Call<M, R> call) {
    return put(terms, Answering.LOAN, call::apply);
  }

  @Override
  public CompletionStage<Void> tell(Terms terms, Action<M> action) {
    // The reply itself, not one that depends on it: who cancels it takes the call back.
    return put(
        terms,
        Answering.RESULT,
        module -> {
          action.apply(module);
          return org.mezzo.modules.leases.Call.TOLD;
        });
  }

  private <R> CompletableFuture<R> put(
      Terms terms, Answering answering, org.mezzo.modules.leases.Call.Body<M> body) {
    var call =
        new org.mezzo.modules.leases.Call<M, R>(terms, request.kind().deadline(), answering, body);
    mailbox.put(call);
    return call.reply();
  }

  @Override
  public void renew(long of, String reason, boolean fault) {
    table.locked(
        () -> {
          if (closed || holder == null || holder.epoch() != of) {
            return;
          }
          if (fault) {
            failed(holder, reason, holder.heldNanos());
            return;
          }
          LOG.warn("{} begins {} anew: {}", daemon(), label(holder.registration()), reason);
          renewing = true;
          reconcile();
        });
  }

  @Override
  public int backlog() {
    return mailbox.backlog();
  }

  @Override
  public void close() {
    table.locked(
        () -> {
          if (closed) {
            return;
          }
          closed = true;
          reports.forEach(Reports::close);
          reconfiguration.close();
          String reason = "the lease was closed";
          handing = false;
          if (opening != null) {
            opening.retire(Kind.ABSENT, reason);
            opening = null;
          }
          mailbox.close(reason);
          if (holder != null) {
            Holder<M> old = holder;
            holder = null;
            old.retire(Kind.ABSENT, reason);
          }
          table.ended(this);
        });
  }
}
