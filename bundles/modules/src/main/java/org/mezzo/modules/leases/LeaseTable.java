package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleConfiguration.Changed;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.ModuleLoggers;
import org.mezzo.modules.leases.Registration.Announcement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who holds what. Knows registrations, not OSGi.
 *
 * <p>One lock guards who holds which lease; calls do not need it. It is held for moments only:
 * module code, listeners and executors of daemons run outside of it, so a service that is
 * registered or withdrawn while a component runtime holds locks of its own never waits here.
 */
public final class LeaseTable implements ModuleLeases, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LeaseTable.class);

  /** The better candidate is the greater: installed last, then registered first. */
  static final Comparator<Registration> PREFERENCE =
      Comparator.<Registration>comparingLong(r -> r.announcement().bundleId())
          .thenComparing(r -> r.announcement().serviceId(), Comparator.reverseOrder());

  private static final Duration IDLE_THREAD = Duration.ofSeconds(10);

  /** A timer may be so late before that is taken for a standstill. */
  private static final Duration STANDSTILL = Duration.ofMillis(500);

  private final ReentrantLock lock = new ReentrantLock();
  private final Queue<Runnable> afterwards = new ArrayDeque<>();
  private final Limits limits;
  private final ScheduledThreadPoolExecutor timers;

  /** A lease that a daemon will have sometime; the same only as itself. */
  private static final class Expected {
    final DaemonContext daemon;
    final String kind;
    final String name;

    Expected(DaemonContext daemon, String kind, String name) {
      this.daemon = daemon;
      this.kind = kind;
      this.name = name;
    }
  }

  private final Set<Registration> registrations = new LinkedHashSet<>();
  private final Set<Long> drained = new HashSet<>();
  private final List<Lease<?>> leases = new ArrayList<>();
  private final List<Expected> expectations = new ArrayList<>();
  private final Set<Holder<?>> inUse = new HashSet<>();
  private final List<Drain> drains = new ArrayList<>();
  private final AtomicInteger abandonedThreads = new AtomicInteger();
  private final ThreadPoolExecutor threads;
  private final Configuration configuration = new Configuration(this);
  private volatile boolean holdsCalls = true;
  private volatile boolean keepsMailboxes = true;
  private volatile Rehearsals rehearsals = Rehearsals.NONE;
  private boolean closed;

  private record Drain(long bundleId, CompletableFuture<Void> done) {}

  /** An empty table. */
  public LeaseTable(Limits limits) {
    this(
        limits,
        task -> {
          Thread thread = new Thread(task, "mezzo-modules");
          thread.setDaemon(true);
          thread.setContextClassLoader(null);
          return thread;
        });
  }

  /** The same with threads of that factory for calls into modules. */
  LeaseTable(Limits limits, ThreadFactory factory) {
    this.limits = limits;
    timers =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "mezzo-modules-timer");
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    timers.setRemoveOnCancelPolicy(true);
    timers.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    timers.setKeepAliveTime(IDLE_THREAD.toMillis(), TimeUnit.MILLISECONDS);
    timers.allowCoreThreadTimeOut(true);
    threads =
        new ThreadPoolExecutor(
            0,
            limits.threads(),
            IDLE_THREAD.toMillis(),
            TimeUnit.MILLISECONDS,
            new IdleThreadsFirst(),
            factory,
            (task, pool) -> ((IdleThreadsFirst) pool.getQueue()).put(task));
  }

  /** Takes a call only when a thread waits for it, or there are as many threads as may be. */
  private static final class IdleThreadsFirst extends LinkedTransferQueue<Runnable> {
    private static final long serialVersionUID = 1L;

    @Override
    public boolean offer(Runnable task) {
      return tryTransfer(task);
    }
  }

  /** The threads on which modules are called, shared by all leases; they end when idle. */
  Executor threads() {
    return threads;
  }

  /**
   * For proofs that a swap loses calls without it: swaps refuse what is under way and do not wait.
   */
  public void skipHandover(boolean skipped) {
    holdsCalls = !skipped;
  }

  boolean holdsCalls() {
    return holdsCalls;
  }

  /** For proofs that a swap loses calls without it: swaps refuse what waits in mailboxes. */
  public void dropMailboxes(boolean dropped) {
    keepsMailboxes = !dropped;
  }

  boolean keepsMailboxes() {
    return keepsMailboxes;
  }

  Limits limits() {
    return limits;
  }

  /** Runs under the lock; what was put off by {@link #afterwards} runs when it is given back. */
  void locked(Runnable body) {
    List<Runnable> due = new ArrayList<>();
    try {
      lock.lock();
      try {
        body.run();
      } finally {
        if (lock.getHoldCount() == 1) {
          due.addAll(afterwards);
          afterwards.clear();
        }
        lock.unlock();
      }
    } finally {
      each(due, Runnable::run);
    }
  }

  /** Gives each to the consumer, also when it threw for one before; throws the first at the end. */
  static void each(List<Runnable> actions, Consumer<Runnable> consumer) {
    RuntimeException first = null;
    Error error = null;
    for (Runnable action : actions) {
      try {
        consumer.accept(action);
      } catch (RuntimeException e) {
        first = first == null ? e : first;
      } catch (Error e) {
        error = error == null ? e : error;
      }
    }
    if (error != null) {
      throw error;
    }
    if (first != null) {
      throw first;
    }
  }

  /** To be run by this thread once it has given back the lock. */
  void afterwards(Runnable action) {
    afterwards.add(action);
  }

  /** Runs now, or once this thread has given back the lock. */
  void withoutLock(Runnable action) {
    if (lock.isHeldByCurrentThread()) {
      afterwards(action);
    } else {
      action.run();
    }
  }

  /** Runs after a while, without the lock. */
  void later(Duration delay, Runnable body) {
    try {
      timers.schedule(body, delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("Deadlines are not watched any more: the host is stopping", e);
    }
  }

  /**
   * For how long modules had no chance to come to an end though it was time: the whole process
   * stood still, because its machine was suspended or had no processor for it.
   *
   * @param lateNanos how much later than it was due a timer runs
   */
  long stoodStill(long lateNanos) {
    if (lateNanos < STANDSTILL.toNanos()) {
      return 0;
    }
    LOG.warn(
        "Timers are {} late: this process stood still. Calls to modules may take as much longer",
        Mailbox.text(Duration.ofNanos(lateNanos)));
    return lateNanos;
  }

  /** Runs under the lock after a while. Empty when the wait is as good as endless. */
  Optional<ScheduledFuture<?>> schedule(Duration delay, Runnable body) {
    if (closed || delay.compareTo(Duration.ofDays(365)) > 0) {
      return Optional.empty();
    }
    return Optional.of(timers.schedule(() -> locked(body), delay.toNanos(), TimeUnit.NANOSECONDS));
  }

  /** A module was registered. */
  public void register(Registration registration) {
    locked(
        () -> {
          registrations.add(registration);
          reconcile();
        });
  }

  /** A module was withdrawn: whoever holds it loses it at once. Never waits for calls. */
  public void withdraw(Registration registration) {
    locked(
        () -> {
          if (registrations.remove(registration)) {
            reconcile();
            leases.forEach(lease -> lease.forget(registration));
            for (Holder<?> holder : List.copyOf(inUse)) {
              if (holder.registration() == registration) {
                holder.retire(ModuleException.Kind.ABSENT, "its service was withdrawn");
              }
            }
          }
        });
  }

  /** What a registered module announces has changed. */
  public void changed() {
    locked(this::reconcile);
  }

  private void reconcile() {
    List.copyOf(leases).forEach(Lease::reconcile);
    checkDrains();
  }

  @Override
  public <M extends Module> ModuleLease<M> lease(LeaseRequest<M> request) {
    Objects.requireNonNull(request.kind(), "kind");
    Objects.requireNonNull(request.name(), "name");
    Objects.requireNonNull(request.context(), "context");
    Objects.requireNonNull(request.events(), "events");
    Objects.requireNonNull(request.listener(), "listener");
    Objects.requireNonNull(request.takeover(), "takeover");
    Lease<M> lease = new Lease<>(this, request);
    locked(
        () -> {
          if (closed) {
            throw new IllegalStateException("Module leases are closed: the host is stopping");
          }
          leases.add(lease);
          lease.reconcile();
          lease.reportVacancy();
        });
    lease.measure();
    return lease;
  }

  @Override
  public List<ModuleDescription> modules() {
    List<ModuleDescription> modules = new ArrayList<>();
    locked(() -> registrations.forEach(registration -> modules.add(describe(registration))));
    modules.sort(
        Comparator.comparing(ModuleDescription::kind)
            .thenComparing(ModuleDescription::name)
            .thenComparing(ModuleDescription::bundleId));
    return List.copyOf(modules);
  }

  @Override
  public List<LeaseDescription> leases() {
    List<LeaseDescription> descriptions = new ArrayList<>();
    locked(() -> leases.forEach(lease -> descriptions.add(lease.describe())));
    descriptions.sort(
        Comparator.comparing(LeaseDescription::daemon)
            .thenComparing(LeaseDescription::kind)
            .thenComparing(LeaseDescription::name));
    return List.copyOf(descriptions);
  }

  @Override
  public List<DaemonContext> wanting(String kind, String name) {
    Map<String, DaemonContext> daemons = new LinkedHashMap<>();
    locked(
        () -> {
          for (Lease<?> lease : leases) {
            if (lease.wants(kind, name)) {
              daemons.putIfAbsent(lease.daemon(), lease.context());
            }
          }
          for (Expected expected : expectations) {
            if (expected.kind.equals(kind) && expected.name.equals(name)) {
              daemons.putIfAbsent(expected.daemon.daemon(), expected.daemon);
            }
          }
        });
    return List.copyOf(daemons.values());
  }

  @Override
  public Expectation expect(DaemonContext daemon, String kind, String name) {
    Expected expected = new Expected(daemon, kind, name);
    locked(
        () -> {
          expectations.add(expected);
          for (Registration registration : registrations) {
            Announcement announcement = registration.announcement();
            if (announcement.kind().equals(kind) && announcement.name().equals(name)) {
              afterwards(() -> rehearseBeforehand(registration, daemon));
            }
          }
        });
    return () -> locked(() -> expectations.remove(expected));
  }

  private void rehearseBeforehand(Registration registration, DaemonContext daemon) {
    try {
      threads.execute(
          () -> {
            try {
              rehearse(registration, daemon);
            } catch (Throwable t) {
              // Whoever has modules rehearse knows it, too, and does what is to be done.
              LOG.warn(
                  "{} does not rehearse well for {}, which will use it sometime: {}",
                  Lease.label(registration),
                  daemon.daemon(),
                  Thrown.of(t).text());
            }
          });
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      LOG.debug("{} rehearses when it is opened", Lease.label(registration), e);
    }
  }

  @Override
  public void rehearse(Rehearsals wanted) {
    rehearsals = wanted;
  }

  /** Runs code of the module, if it has to rehearse; throws why it may not be opened. */
  void rehearse(Registration registration, DaemonContext daemon) throws Exception {
    Announcement announcement = registration.announcement();
    rehearsals.before(announcement.bundleId(), announcement.kind(), announcement.name(), daemon);
  }

  @Override
  public Configuration configuration() {
    return configuration;
  }

  /** Under the lock: has all who hold a lease for a module work with what is set now. */
  List<CompletableFuture<Changed>> configure(String kind, String name) {
    return List.copyOf(leases).stream()
        .filter(lease -> lease.wants(kind, name))
        .<CompletableFuture<Changed>>map(Lease::configure)
        .toList();
  }

  @Override
  public List<ModuleDescription> quarantined() {
    return modules().stream().filter(module -> module.state().equals("quarantined")).toList();
  }

  @Override
  public List<ModuleDescription> unhealthy() {
    return modules().stream().filter(module -> !module.ailment().isEmpty()).toList();
  }

  @Override
  public CompletionStage<Void> drain(long bundleId, Duration deadline) {
    Drain drain = new Drain(bundleId, new CompletableFuture<>());
    locked(
        () -> {
          drained.add(bundleId);
          drains.add(drain);
          reconcile();
          if (drains.contains(drain)) {
            schedule(deadline, () -> giveUp(drain));
          }
        });
    return drain.done.minimalCompletionStage();
  }

  private void giveUp(Drain drain) {
    if (drains.remove(drain)) {
      if (drained.contains(drain.bundleId)) {
        List.copyOf(leases).forEach(lease -> lease.revoke(drain.bundleId));
        if (inUse.stream().anyMatch(holder -> isOf(holder, drain) && holder.isDraining())) {
          drains.add(drain);
          return;
        }
      }
      afterwards(() -> drain.done.complete(null));
    }
  }

  @Override
  public void readmit(long bundleId) {
    locked(
        () -> {
          drained.remove(bundleId);
          reconcile();
        });
  }

  /** Whether a lease may be given to it, as far as leases do not mind. */
  boolean usable(Registration registration) {
    return isRegistered(registration) && !isDrained(registration);
  }

  boolean isRegistered(Registration registration) {
    return registrations.contains(registration);
  }

  boolean isDrained(Registration registration) {
    return drained.contains(registration.announcement().bundleId());
  }

  Set<Registration> registrations() {
    return registrations;
  }

  void entered(Holder<?> holder) {
    inUse.add(holder);
  }

  /** No code of the holder's module runs any more, or its thread is given up. */
  void left(Holder<?> holder) {
    inUse.remove(holder);
    holder.forgetNumbers();
    checkDrains();
  }

  private void checkDrains() {
    for (Iterator<Drain> it = drains.iterator(); it.hasNext(); ) {
      Drain drain = it.next();
      boolean busy = inUse.stream().anyMatch(holder -> isOf(holder, drain));
      if (!busy || !drained.contains(drain.bundleId)) {
        it.remove();
        afterwards(() -> drain.done.complete(null));
      }
    }
  }

  private static boolean isOf(Holder<?> holder, Drain drain) {
    return holder.registration().announcement().bundleId() == drain.bundleId;
  }

  void threadAbandoned() {
    int now = abandonedThreads.incrementAndGet();
    if (now == limits.abandonedThreads()) {
      LOG.error(
          "{} threads are stuck in modules, the most that is allowed: modules that failed are not"
              + " tried again until one of the threads returns. Restart this host when you have"
              + " replaced the modules named above",
          now);
    }
  }

  /** Under the lock. */
  void threadReturned() {
    abandonedThreads.decrementAndGet();
    reconcile();
  }

  /** Whether another thread may be risked for a module that failed before. */
  boolean mayRiskThread() {
    return abandonedThreads.get() < limits.abandonedThreads();
  }

  /** How many threads are stuck in modules now. */
  public int abandonedThreads() {
    return abandonedThreads.get();
  }

  void ended(Lease<?> lease) {
    leases.remove(lease);
    checkDrains();
  }

  ModuleDescription describe(Registration registration) {
    List<String> daemons = new ArrayList<>();
    boolean opening = false;
    String illness = "";
    Optional<String> problem = Optional.empty();
    for (Lease<?> lease : leases) {
      if (lease.isHeldBy(registration)) {
        daemons.add(lease.daemon());
        illness = illness.isEmpty() ? lease.illness() : illness;
      }
      opening |= lease.isOpening(registration);
      problem = problem.or(() -> lease.problem(registration));
    }
    String state;
    if (isDrained(registration)) {
      state = "draining";
    } else if (problem.isPresent()) {
      state = "quarantined";
    } else if (opening) {
      state = "opening";
    } else {
      state = daemons.isEmpty() ? "available" : "leased";
    }
    Announcement announcement = registration.announcement();
    return new ModuleDescription(
        announcement.kind(),
        announcement.name(),
        announcement.version(),
        announcement.author(),
        announcement.description(),
        announcement.bundleId(),
        announcement.bundleName(),
        announcement.bundleVersion(),
        state,
        problem.orElse(""),
        illness,
        Stream.concat(
                Stream.of(ModuleLoggers.own(announcement.kind(), announcement.name())),
                registration.packageName().stream())
            .toList(),
        daemons);
  }

  /** Ends every lease; nothing is waited for. */
  @Override
  public void close() {
    locked(
        () -> {
          closed = true;
          List.copyOf(leases).forEach(Lease::close);
          registrations.clear();
          drains.forEach(drain -> afterwards(() -> drain.done.complete(null)));
          drains.clear();
        });
    timers.shutdown();
  }
}
