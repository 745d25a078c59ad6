package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Module;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of a module from its creation to its release. Its calls are guarded by the lock of
 * the lease, its life by that of the table.
 */
final class Holder<M extends Module> {
  private static final Logger LOG = LoggerFactory.getLogger(Holder.class);

  private final Lease<M> lease;
  private final LeaseTable table;
  private final Registration registration;
  private final String threadName;

  /** The parameters that were set when it was made, or that it has taken since. */
  private volatile Map<String, String> values;

  /** Guarded by the lock of the lease. */
  private final Set<Call<M, ?>> calls = new LinkedHashSet<>();

  /** Guarded by the lock of the lease. */
  private final Set<Lent<M, ?>> loans = new HashSet<>();

  private final List<Runnable> whenIdle = new ArrayList<>();
  private final FailureWindow outcomes;

  /**
   * Of each operation by itself: what a module does not implement always goes well, and must not
   * hide that the rest fails. As many as the kind has.
   */
  private final Map<String, FailureWindow> byOperation = new HashMap<>();

  private volatile int failedInARow;

  private volatile String failure = "";
  private final ModuleMetrics.Instance metrics;
  private final Health health;
  private boolean sealed;
  private volatile long busySince;
  private volatile boolean busy;
  private volatile long acquiredNanos;

  /** Guarded by the lock of the table, but read by calls. */
  private volatile M instance;

  private volatile boolean valid = true;
  private volatile long epoch;
  private final AtomicInteger stuck = new AtomicInteger();
  private boolean working;
  private boolean hung;
  private boolean retired;
  private boolean draining;
  private boolean ending;

  Holder(Lease<M> lease, Registration registration) {
    this.lease = lease;
    this.table = lease.table();
    this.registration = registration;
    this.values = lease.table().configuration().values(registration);
    this.outcomes = new FailureWindow(table.limits().apply(lease.request().kind().breaker()));
    this.metrics = lease.moduleMetrics().instance();
    this.health = new Health(this, table, Lease.label(registration) + " of " + lease.daemon());
    threadName =
        lease.daemon()
            + "-"
            + registration.announcement().kind()
            + "-"
            + registration.announcement().name()
            + "@"
            + registration.announcement().bundleId();
  }

  Registration registration() {
    return registration;
  }

  /** What is set above the parameters of its daemon, as far as it works with that. */
  Map<String, String> values() {
    return values;
  }

  /** It has taken others. */
  void worksWith(Map<String, String> taken) {
    values = taken;
  }

  Health health() {
    return health;
  }

  String threadName() {
    return threadName;
  }

  M instance() {
    return instance;
  }

  long epoch() {
    return epoch;
  }

  /** Whether the instance may act by what it was given. */
  boolean isValid() {
    return valid;
  }

  // Under the lock of the lease.

  int begun() {
    return calls.size();
  }

  void began(Call<M, ?> call) {
    calls.add(call);
    busySince = System.nanoTime();
    busy = true;
  }

  void ended(Call<M, ?> call) {
    calls.remove(call);
    if (calls.isEmpty()) {
      busy = false;
    }
    noticeIdle();
  }

  /** Whether nothing runs in it and nothing of it is lent. */
  boolean isIdle() {
    return calls.isEmpty() && loans.isEmpty();
  }

  private void noticeIdle() {
    if (isIdle()) {
      List.copyOf(whenIdle).forEach(Runnable::run);
      whenIdle.clear();
    }
  }

  <T> Lent<M, T> lend(Lent<M, T> lent) {
    loans.add(lent);
    return lent;
  }

  /** Whether it is still lent. */
  boolean lends(Lent<M, ?> lent) {
    return loans.contains(lent);
  }

  void takeBack(Lent<M, ?> lent) {
    lent.revoke();
    if (loans.remove(lent)) {
      noticeIdle();
    }
  }

  void takeBackAll() {
    if (!loans.isEmpty()) {
      loans.forEach(Lent::revoke);
      loans.clear();
      noticeIdle();
    }
  }

  void whenIdle(Runnable action) {
    whenIdle.add(action);
  }

  /** Notes how a call went; whether the instance has failed with it. */
  boolean note(String operation, boolean failure) {
    long now = System.nanoTime();
    FailureWindow own =
        byOperation.computeIfAbsent(operation, unused -> new FailureWindow(outcomes.breaker()));
    boolean failed = outcomes.note(failure, now) | own.note(failure, now);
    if (failure || failedInARow > 0) {
      failedInARow =
          byOperation.values().stream()
              .mapToInt(FailureWindow::failedInARow)
              .reduce(outcomes.failedInARow(), Math::max);
    }
    return failed;
  }

  /** Notes a call that failed, with what became of it; whether the instance has failed with it. */
  boolean noteFailure(String operation, String what) {
    failure = "(" + operation + ") " + what.lines().findFirst().orElse("");
    return note(operation, true);
  }

  /** How much has failed, in all or of an operation. */
  String failures(String operation) {
    int failed = Math.max(outcomes.failed(), byOperation.get(operation).failed());
    return outcomes.breaker().share() < 1
        ? failed + " of the last calls failed"
        : failed + " calls in a row threw";
  }

  /** It begins no more calls. */
  void seal() {
    sealed = true;
  }

  boolean isSealed() {
    return sealed;
  }

  /** A thread was given up in it. */
  void stuck() {
    stuck.incrementAndGet();
  }

  // Under no lock in particular.

  /** The most calls in a row that failed up to now, in all or of one operation. */
  int failedInARow() {
    return failedInARow;
  }

  /** The last call that failed and what became of it; empty when none has. */
  String failure() {
    return failure;
  }

  /** For how long the last call that began has been running, while any runs. */
  Duration busy() {
    return busy ? Duration.ofNanos(System.nanoTime() - busySince) : Duration.ZERO;
  }

  long heldNanos() {
    return epoch == 0 ? 0 : System.nanoTime() - acquiredNanos;
  }

  // Under the lock of the table.

  boolean hasStuckThread() {
    return stuck.get() > 0;
  }

  /** A thread that was given up is back. */
  void unstuck() {
    if (stuck.decrementAndGet() == 0 && ending && instance != null) {
      releaseAfterwards(instance);
      instance = null;
    }
  }

  void open() {
    table.entered(this);
    new Opening().start();
  }

  /** Hands it the daemon's state before it holds the lease. */
  void takeOver(ModuleLease.Action<M> action) {
    new TakingOver(action).start();
  }

  /** It is over, or was given up: what it counted goes with it. */
  void forgetNumbers() {
    metrics.close();
  }

  void acquired(long acquiredEpoch) {
    epoch = acquiredEpoch;
    acquiredNanos = System.nanoTime();
    table.afterwards(health::begin);
  }

  /** No more calls; callers are answered, and the instance is closed when what runs has ended. */
  void retire(ModuleException.Kind kind, String reason) {
    if (retired) {
      return;
    }
    lease.mailbox().refuseBegun(this, kind, reason);
    retired = true;
    valid = false;
    lease.mailbox().whenIdle(this, Optional.empty(), () -> true, inTime -> end());
  }

  /** No more calls; those that run end as if nothing was, within the limit. */
  void drain(Duration limit, Runnable done) {
    draining = true;
    lease
        .mailbox()
        .whenIdle(
            this,
            Optional.of(limit),
            () -> true,
            inTime -> {
              valid = false;
              retired = true;
              done.run();
              end();
            });
  }

  /** Whether calls end in it beside a successor; that has a limit of its own. */
  boolean isDraining() {
    return draining && !retired;
  }

  private void end() {
    if (!retired || ending || working || health.delays(() -> table.locked(this::end))) {
      return;
    }
    ending = true;
    if (stuck.get() > 0) {
      // Nothing is said to an instance in which a thread may be anywhere.
      table.left(this);
    } else if (!hung) {
      new Closing().start();
    }
  }

  /** Something of its life that runs code of the module under a deadline. */
  private abstract class Work implements Runnable {
    private final String operation;
    private final Duration deadline;
    private Thread thread;
    private Optional<ScheduledFuture<?>> timer = Optional.empty();
    private boolean abandoned;

    Work(String operation, Duration deadline) {
      this.operation = operation;
      this.deadline = deadline;
    }

    void start() {
      working = true;
      table.afterwards(
          () -> {
            try {
              table.threads().execute(this);
            } catch (RejectedExecutionException | OutOfMemoryError e) {
              Thrown thrown = Thrown.of(e);
              table.locked(
                  () -> {
                    working = false;
                    threw(thrown);
                    Holder.this.end();
                  });
            }
          });
    }

    /** Whether it is still wanted when a thread is free for it. */
    abstract boolean begins();

    abstract Object body() throws Throwable;

    abstract void returned(Object result);

    abstract void threw(Thrown thrown);

    abstract void late(String problem);

    /** Returned after its thread was given up. */
    void returnedTooLate(Object result) {}

    @Override
    public final void run() {
      boolean[] begun = new boolean[1];
      table.locked(() -> begun[0] = begin());
      if (!begun[0]) {
        return;
      }
      Object result = null;
      Thrown thrown = null;
      try {
        result = body();
      } catch (Throwable t) {
        thrown = Thrown.of(t);
      }
      Object outcome = result;
      Thrown failure = thrown;
      table.locked(() -> end(outcome, failure));
    }

    private boolean begin() {
      if (!begins()) {
        working = false;
        Holder.this.end();
        return false;
      }
      thread = Thread.currentThread();
      thread.setName(threadName);
      expireIn(deadline);
      return true;
    }

    private void expireIn(Duration wait) {
      long dueNanos = System.nanoTime() + wait.toNanos();
      timer = table.schedule(wait, () -> expire(dueNanos));
    }

    private void end(Object result, Thrown thrown) {
      timer.ifPresent(scheduled -> scheduled.cancel(false));
      thread = null;
      Thread.interrupted();
      if (abandoned) {
        LOG.info(
            "{} of {} has returned at last from {}",
            Lease.label(registration),
            lease.daemon(),
            operation);
        returnedTooLate(result);
        table.threadReturned();
        return;
      }
      working = false;
      if (thrown != null) {
        threw(thrown);
      } else {
        returned(result);
      }
      Holder.this.end();
    }

    private void expire(long dueNanos) {
      if (thread == null || abandoned) {
        return;
      }
      long stoodStill = table.stoodStill(System.nanoTime() - dueNanos);
      if (stoodStill > 0) {
        expireIn(Duration.ofNanos(stoodStill));
        return;
      }
      abandoned = true;
      hung = true;
      String problem =
          operation
              + " did not return within "
              + Mailbox.text(deadline)
              + ", its thread is at"
              + Mailbox.stack(thread);
      lease.numbers().late.increment();
      table.threadAbandoned();
      thread.interrupt();
      late(problem);
      table.left(Holder.this);
    }
  }

  private final class Opening extends Work {
    Opening() {
      super("open", table.limits().openDeadline());
    }

    @Override
    boolean begins() {
      return !retired;
    }

    @Override
    Object body() throws Throwable {
      Map<String, String> parameters =
          table
              .configuration()
              .parameters(
                  registration, lease.daemon(), lease.request().context().parameters(), values);
      table.rehearse(registration, lease.request().context());
      Class<M> type = lease.request().kind().type();
      Module created = registration.create();
      if (!type.isInstance(created)) {
        registration.release(created);
        throw new ClassCastException(
            "it is no "
                + type.getName()
                + " as this daemon knows it; build it against the API of this Mezzo");
      }
      M module = type.cast(created);
      try {
        module.open(
            InstanceContext.of(
                lease.request().context(), registration.announcement(), parameters, metrics));
      } catch (Throwable t) {
        registration.release(created);
        throw t;
      }
      return module;
    }

    @Override
    void returned(Object result) {
      instance = lease.request().kind().type().cast(result);
      lease.opened(Holder.this);
    }

    @Override
    void threw(Thrown thrown) {
      lease.numbers().failures.increment();
      LOG.warn(
          "{} of {} cannot be opened", Lease.label(registration), lease.daemon(), thrown.cause());
      lease.failed(Holder.this, "it cannot be opened: " + thrown.text(), 0);
    }

    @Override
    void late(String problem) {
      lease.failed(Holder.this, problem, 0);
    }

    @Override
    void returnedTooLate(Object result) {
      releaseAfterwards((Module) result);
    }
  }

  private final class TakingOver extends Work {
    private final ModuleLease.Action<M> action;

    TakingOver(ModuleLease.Action<M> action) {
      super("taking over", lease.request().kind().deadline().orElse(table.limits().openDeadline()));
      this.action = action;
    }

    @Override
    boolean begins() {
      return !retired;
    }

    @Override
    Object body() throws Throwable {
      action.apply(instance);
      return null;
    }

    @Override
    void returned(Object result) {
      lease.tookOver(Holder.this);
    }

    @Override
    void threw(Thrown thrown) {
      lease.numbers().failures.increment();
      LOG.warn(
          "{} of {} cannot take over", Lease.label(registration), lease.daemon(), thrown.cause());
      lease.failed(Holder.this, "it cannot take over: " + thrown.text(), 0);
    }

    @Override
    void late(String problem) {
      lease.failed(Holder.this, problem, 0);
    }

    @Override
    void returnedTooLate(Object result) {
      releaseAfterwards(instance);
      instance = null;
    }
  }

  private final class Closing extends Work {
    private M closing;

    Closing() {
      super("close", table.limits().closeDeadline());
    }

    @Override
    boolean begins() {
      if (instance == null) {
        table.left(Holder.this);
        return false;
      }
      closing = instance;
      instance = null;
      return true;
    }

    @Override
    Object body() throws Throwable {
      try {
        closing.close();
      } finally {
        registration.release(closing);
      }
      return null;
    }

    @Override
    void returned(Object result) {
      table.left(Holder.this);
    }

    @Override
    void threw(Thrown thrown) {
      lease.numbers().failures.increment();
      LOG.warn(
          "{} of {} threw while it was closed",
          Lease.label(registration),
          lease.daemon(),
          thrown.cause());
      table.left(Holder.this);
    }

    @Override
    void late(String problem) {
      LOG.warn("{} of {}: {}", Lease.label(registration), lease.daemon(), problem);
    }
  }

  private void releaseAfterwards(Module released) {
    if (released == null) {
      return;
    }
    table.afterwards(
        () -> {
          try {
            registration.release(released);
          } catch (Throwable t) {
            LOG.warn(
                "{} of {} threw while it was released",
                Lease.label(registration),
                lease.daemon(),
                Thrown.of(t).cause());
          }
        });
  }
}
