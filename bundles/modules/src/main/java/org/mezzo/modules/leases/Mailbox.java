package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.mezzo.api.Module;
import org.mezzo.modules.Kind;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.leases.Call.Answering;
import org.mezzo.modules.leases.Lent.Using;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls of one lease: those that wait belong to the lease, those that have begun to an
 * instance.
 *
 * <p>A lock of its own guards them, so that calls of different leases do not meet. It may be taken
 * with the lock of the table held, never the other way round; module code, replies and executors
 * run without it.
 */
final class Mailbox<M extends Module> {
  private static final Logger LOG = LoggerFactory.getLogger(Mailbox.class);
  private static final int STACK_LINES = 30;

  private final Lease<M> lease;
  private final LeaseTable table;
  private final Kind<M> kind;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Runnable> after = new ArrayList<>();
  private final Queue<Runnable> outbox = new ConcurrentLinkedQueue<>();
  private final Set<Call<M, ?>> waiting = new LinkedHashSet<>();
  private final Set<Call<M, ?>> begun = new LinkedHashSet<>();

  /** What is done now with what was lent; under no lock, for that may be very often. */
  private final Set<Using<M>> uses = ConcurrentHashMap.newKeySet();

  /** Somebody will look at the uses. */
  private final AtomicBoolean looking = new AtomicBoolean();

  private Holder<M> serving;
  private volatile long epoch;
  private volatile int backlog;
  private boolean held;
  private boolean checking;
  private long checkAtNanos;

  Mailbox(Lease<M> lease, LeaseTable table, Kind<M> kind) {
    this.lease = lease;
    this.table = table;
    this.kind = kind;
  }

  long epoch() {
    return epoch;
  }

  int backlog() {
    return backlog;
  }

  /** Runs under the lock; what was put off meanwhile runs when no lock is held any more. */
  void locked(Runnable body) {
    List<Runnable> due = new ArrayList<>();
    try {
      lock.lock();
      try {
        body.run();
      } finally {
        if (lock.getHoldCount() == 1) {
          due.addAll(after);
          after.clear();
        }
        lock.unlock();
      }
    } finally {
      LeaseTable.each(due, table::withoutLock);
    }
  }

  /**
   * Has something done on the events executor, after everything posted before. Whichever thread
   * gets there first runs the oldest action.
   */
  void post(Runnable action) {
    locked(
        () -> {
          outbox.add(action);
          after.add(
              () -> {
                try {
                  lease.request().events().execute(() -> outbox.remove().run());
                } catch (RejectedExecutionException e) {
                  // Full or closed. Who waits for an answer gets one all the same, and the next
                  // action that is taken must not run this one in its own place.
                  LOG.debug("{} takes no events now", lease.daemon(), e);
                  outbox.remove().run();
                }
              });
        });
  }

  /** Has something done under the lock of the table once this one is given back. */
  private void control(Runnable action) {
    after.add(() -> table.locked(action));
  }

  void put(Call<M, ?> call) {
    locked(
        () -> {
          if (serving == null && !held) {
            refuse(
                call,
                ModuleException.Kind.ABSENT,
                "no " + kind.name() + " named '" + lease.name() + "' holds the lease");
          } else if (isStale(call)) {
            refuse(call, ModuleException.Kind.STALE, stale(call));
          } else if (waiting.size() >= kind.queue()) {
            lease.numbers().overloaded.increment();
            refuse(call, ModuleException.Kind.OVERLOADED, waiting.size() + " calls wait already");
          } else {
            waiting.add(call);
            begin();
            backlog = waiting.size();
          }
        });
    call.reply()
        .whenComplete(
            (result, failure) -> {
              if (call.reply().isCancelled()) {
                locked(() -> cancelled(call));
              }
            });
  }

  private boolean isStale(Call<M, ?> call) {
    return call.epoch != 0 && call.epoch != epoch;
  }

  private String stale(Call<M, ?> call) {
    return "the holder of epoch " + call.epoch + " was replaced, now it is " + epoch;
  }

  private void refuse(Call<M, ?> call, ModuleException.Kind why, String reason) {
    call.refuse(why, call.operation + " gave no result: " + reason, null).ifPresent(this::post);
  }

  private void cancelled(Call<M, ?> call) {
    call.unwanted();
    if (waiting.remove(call)) {
      backlog = waiting.size();
    } else if (begun.contains(call)) {
      takeBack(call);
    }
  }

  /** Nobody wants what has begun any more: has it end soon. */
  private void takeBack(Call<M, ?> call) {
    interrupt(call);
    limit(call, table.limits().cancelGrace());
  }

  private void interrupt(Call<M, ?> call) {
    if (call.thread != null) {
      call.thread.interrupt();
    }
    Optional<CompletionStage<?>> stage =
        call.thread == null ? Optional.ofNullable(call.stage) : Optional.empty();
    after.add(() -> cancel(call, stage));
  }

  /** That is code of the module, for which whoever takes a call back does not wait. */
  private void cancel(Call<M, ?> call, Optional<CompletionStage<?>> stage) {
    try {
      table
          .threads()
          .execute(
              () -> {
                try {
                  call.cancel(stage);
                } catch (Throwable t) {
                  LOG.debug("A call cannot be cancelled: {}", Thrown.of(t).text());
                }
              });
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      LOG.debug("There is no thread to cancel a call", e);
    }
  }

  /** Gives waiting calls to the instance that serves, as many as it takes. */
  private void begin() {
    Iterator<Call<M, ?>> next = waiting.iterator();
    while (next.hasNext()
        && !held
        && serving != null
        && !serving.isSealed()
        && serving.begun() < kind.atOnce()) {
      Call<M, ?> call = next.next();
      next.remove();
      if (isStale(call)) {
        refuse(call, ModuleException.Kind.STALE, stale(call));
        continue;
      }
      begun.add(call);
      call.holder = serving;
      serving.began(call);
      after.add(() -> start(call));
    }
    backlog = waiting.size();
  }

  private void start(Call<M, ?> call) {
    try {
      table.threads().execute(() -> run(call));
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      locked(() -> hasNoThread(call, e));
    }
  }

  /** What waits would get none either; where other calls run, the end of one begins the next. */
  private void hasNoThread(Call<M, ?> call, Throwable problem) {
    LOG.error("{} has no thread for {}", lease.daemon(), call.operation, problem);
    String reason = "there is no thread for it: " + problem;
    lease.numbers().overloaded.increment();
    refuse(call, ModuleException.Kind.OVERLOADED, reason);
    if (begun.remove(call)) {
      call.holder.ended(call);
    }
    if (call.holder == serving && serving.begun() == 0) {
      refuseWaiting(ModuleException.Kind.OVERLOADED, reason);
    }
  }

  private void run(Call<M, ?> call) {
    Object[] instance = new Object[1];
    locked(
        () -> {
          if (call.isAnswered()) {
            over(call);
            return;
          }
          Thread.currentThread().setName(call.holder.threadName());
          call.thread = Thread.currentThread();
          call.beganNanos = System.nanoTime();
          instance[0] = call.holder.instance();
          call.deadline.ifPresent(deadline -> limit(call, deadline));
        });
    if (instance[0] == null) {
      return;
    }
    Object result = null;
    Thrown thrown = null;
    try {
      result = call.run(kind.type().cast(instance[0]));
      if (result == null) {
        thrown = Thrown.of(new NullPointerException(call.operation + " gave null"));
      } else if (call.answering == Answering.STAGE) {
        follow(call, (CompletionStage<?>) result);
      }
    } catch (Throwable t) {
      thrown = Thrown.of(t);
    }
    Object outcome = result;
    Thrown failure = thrown;
    locked(() -> returned(call, outcome, failure));
  }

  /** On the thread of the call, for the stage is code of the module. */
  private void follow(Call<M, ?> call, CompletionStage<?> stage) {
    stage.whenComplete(
        (value, failure) -> {
          Thrown thrown =
              failure != null
                  ? Thrown.of(failure)
                  : value == null
                      ? Thrown.of(
                          new NullPointerException("the stage of " + call.operation + " gave null"))
                      : null;
          locked(() -> staged(call, new Call.Outcome(value, thrown)));
        });
  }

  private void returned(Call<M, ?> call, Object result, Thrown thrown) {
    call.thread = null;
    Thread.interrupted();
    if (call.abandoned) {
      control(
          () -> {
            LOG.info(
                "{} of {} has returned at last from {}",
                Lease.label(call.holder.registration()),
                lease.daemon(),
                call.operation);
            call.holder.unstuck();
            table.threadReturned();
          });
    } else if (thrown == null && call.answering == Answering.STAGE) {
      call.stage = (CompletionStage<?>) result;
      if (call.outcome != null) {
        ended(call, call.outcome);
      } else if (call.isAnswered()) {
        interrupt(call);
      }
    } else {
      ended(call, new Call.Outcome(result, thrown));
    }
  }

  private void staged(Call<M, ?> call, Call.Outcome outcome) {
    if (!begun.contains(call)) {
      return;
    }
    if (call.stage == null) {
      // The thread is in the module still, which began the next call too early otherwise.
      call.outcome = outcome;
    } else {
      ended(call, outcome);
    }
  }

  /** The module has given its answer in time. */
  private void ended(Call<M, ?> call, Call.Outcome outcome) {
    Holder<M> holder = call.holder;
    lease.numbers().calls.increment();
    lease.numbers().times.add(System.nanoTime() - call.beganNanos);
    if (!call.isAnswered()) {
      if (outcome.thrown() != null) {
        threw(call, outcome.thrown());
      } else if (call.answering == Answering.LOAN) {
        call.answer(holder.lend(new Lent<>(this, holder, call.operation, outcome.result())))
            .ifPresent(this::post);
      } else {
        call.answer(outcome.result()).ifPresent(this::post);
        holder.note(call.operation, false);
      }
    }
    over(call);
  }

  /** What was lent is not used any more. */
  void takeBack(Lent<M, ?> lent) {
    locked(
        () -> {
          if (lent.holder.lends(lent) && !lent.judged) {
            lent.holder.note(lent.operation, false);
          }
          lent.holder.takeBack(lent);
        });
  }

  /** What was lent has thrown something. */
  void threw(Lent<M, ?> lent, Throwable throwable) {
    Thrown thrown = Thrown.of(throwable);
    locked(
        () -> {
          if (lent.holder.lends(lent) && !lent.judged) {
            lent.judged = true;
            lease.numbers().failures.increment();
            threw(lent.holder, lent.operation, thrown);
          }
        });
  }

  /** Something is done with what was lent. */
  void uses(Using<M> using) {
    uses.add(using);
    lookLater();
  }

  /** It has been done. */
  void used(Using<M> using) {
    uses.remove(using);
  }

  private void lookLater() {
    if (!looking.get() && looking.compareAndSet(false, true)) {
      table.later(table.limits().useLimit(), this::look);
    }
  }

  /**
   * What goes on at two looks in a row has taken too long, whereas a pause of the whole process
   * between them is no fault of what has just begun.
   */
  private void look() {
    try {
      for (Using<M> using : uses) {
        if (using.seen) {
          giveUp(using);
        }
        using.seen = true;
      }
    } finally {
      looking.set(false);
      if (!uses.isEmpty()) {
        lookLater();
      }
    }
  }

  /** Code of the module keeps a thread of the daemon. */
  private void giveUp(Using<M> using) {
    Holder<M> holder = using.lent.holder;
    Optional<String> stack =
        using.giveUp(
            () -> {
              holder.stuck();
              table.threadAbandoned();
            });
    uses.remove(using);
    if (stack.isEmpty()) {
      return;
    }
    String problem =
        "what "
            + using.lent.operation
            + " gave did not return to a thread of the daemon within "
            + text(table.limits().useLimit())
            + ", which is at"
            + stack.get();
    LOG.warn("{} of {}: {}", Lease.label(holder.registration()), lease.daemon(), problem);
    locked(
        () -> {
          lease.numbers().late.increment();
          using.lent.judged = true;
          holder.noteFailure(using.lent.operation, problem);
          holder.takeBack(using.lent);
          // The next one would cost another thread.
          fail(holder, problem);
        });
  }

  /** A thread that was given up in what was lent is back. */
  void isBack(Using<M> using) {
    Holder<M> holder = using.lent.holder;
    table.locked(
        () -> {
          LOG.info(
              "What {} of {} of {} gave has returned at last",
              using.lent.operation,
              Lease.label(holder.registration()),
              lease.daemon());
          holder.unstuck();
          table.threadReturned();
        });
  }

  private void threw(Call<M, ?> call, Thrown thrown) {
    Holder<M> holder = call.holder;
    lease.numbers().failures.increment();
    call.refuse(
            ModuleException.Kind.THREW, call.operation + " threw " + thrown.text(), thrown.cause())
        .ifPresent(this::post);
    if (!thrown.fault()) {
      // What an SPI declares is an answer, such as a file that is not there.
      holder.note(call.operation, false);
      LOG.debug(
          "{} of {} threw", Lease.label(holder.registration()), lease.daemon(), thrown.cause());
      return;
    }
    threw(holder, call.operation, thrown);
    if (call.vital && !holder.isSealed()) {
      fail(holder, call.operation + " threw " + thrown.text());
    }
  }

  private void threw(Holder<M> holder, String operation, Thrown thrown) {
    boolean open = holder.noteFailure(operation, thrown.text());
    LOG.warn(
        "{} of {} threw in {}, {} times in a row now",
        Lease.label(holder.registration()),
        lease.daemon(),
        operation,
        holder.failedInARow(),
        thrown.cause());
    if (open) {
      fail(holder, holder.failures(operation) + ", the last one " + holder.failure());
    }
  }

  private void fail(Holder<M> holder, String problem) {
    long since = holder.heldNanos();
    holder.seal();
    control(() -> lease.failed(holder, problem, since));
  }

  /** It occupies its instance no longer. */
  private void over(Call<M, ?> call) {
    if (begun.remove(call)) {
      call.holder.ended(call);
      begin();
    }
  }

  /** Demands that a call that has begun ends within that time. */
  private void limit(Call<M, ?> call, Duration within) {
    if (within.compareTo(Duration.ofDays(365)) > 0) {
      return;
    }
    long at = System.nanoTime() + within.toNanos();
    if (!call.limited || at - call.lateAtNanos < 0) {
      call.limited = true;
      call.lateAtNanos = at;
      check(at);
    }
  }

  /** One timer per lease looks after all its calls, so that most calls need none. */
  private void check(long at) {
    if (checking && checkAtNanos - at <= 0) {
      return;
    }
    checking = true;
    checkAtNanos = at;
    Duration wait = Duration.ofNanos(Math.max(0, at - System.nanoTime()));
    after.add(() -> table.later(wait, () -> locked(() -> check(at, System.nanoTime()))));
  }

  private void check(long of, long now) {
    if (checking && checkAtNanos == of) {
      checking = false;
    }
    long stoodStill = table.stoodStill(now - of);
    long next = 0;
    boolean more = false;
    for (Call<M, ?> call : List.copyOf(begun)) {
      if (!call.limited) {
        continue;
      }
      if (stoodStill > 0) {
        call.lateAtNanos = (call.lateAtNanos - now > 0 ? call.lateAtNanos : now) + stoodStill;
      }
      if (call.lateAtNanos - now <= 0) {
        expire(call);
      } else if (!more || call.lateAtNanos - next < 0) {
        more = true;
        next = call.lateAtNanos;
      }
    }
    if (more) {
      check(next);
    }
  }

  private void expire(Call<M, ?> call) {
    Holder<M> holder = call.holder;
    String within = call.deadline.map(Mailbox::text).orElse("the time it had");
    String problem = call.operation + " did not return within " + within;
    boolean stuck = call.thread != null;
    if (stuck) {
      problem += ", its thread is at" + stack(call.thread);
    } else if (call.stage != null) {
      problem = "the stage of " + call.operation + " did not end within " + within;
    }
    lease.numbers().late.increment();
    call.refuse(ModuleException.Kind.LATE, problem, null).ifPresent(this::post);
    boolean open = holder.noteFailure(call.operation, problem);
    boolean spent = stuck && table.abandonedThreads() + 1 >= table.limits().abandonedThreads();
    if (kind.isSerial() || open || spent) {
      fail(holder, problem);
    } else {
      LOG.warn(
          "{} of {}: {}. Its other calls go on",
          Lease.label(holder.registration()),
          lease.daemon(),
          problem);
    }
    abandon(call);
  }

  /** Gives up a call that has begun, with its thread if it has one. */
  private void abandon(Call<M, ?> call) {
    call.unwanted();
    if (call.thread != null) {
      call.abandoned = true;
      call.holder.stuck();
      table.threadAbandoned();
    }
    interrupt(call);
    over(call);
  }

  static String stack(Thread thread) {
    StringBuilder stack = new StringBuilder();
    StackTraceElement[] elements = thread.getStackTrace();
    for (int i = 0; i < Math.min(elements.length, STACK_LINES); i++) {
      stack.append("\n  ").append(elements[i]);
    }
    return stack.toString();
  }

  static String text(Duration duration) {
    return duration.toMillis() < 10_000 ? duration.toMillis() + " ms" : duration.toSeconds() + " s";
  }

  /** Calls wait from now on, also without anybody who serves. */
  void hold() {
    locked(() -> held = true);
  }

  /** Whoever served goes on; where nobody does, what waits is refused. */
  void resume(String reason) {
    locked(
        () -> {
          held = false;
          if (serving == null) {
            refuseWaiting(ModuleException.Kind.ABSENT, reason);
          }
          begin();
        });
  }

  /**
   * The lease moves: what is addressed to the epoch before is refused, then the listener is told,
   * then what waits goes to the successor.
   */
  void serve(Holder<M> successor, long newEpoch, Runnable told) {
    locked(
        () -> {
          epoch = newEpoch;
          serving = successor;
          for (Iterator<Call<M, ?>> it = waiting.iterator(); it.hasNext(); ) {
            Call<M, ?> call = it.next();
            if (isStale(call)) {
              it.remove();
              refuse(call, ModuleException.Kind.STALE, stale(call));
            }
          }
          if (!table.keepsMailboxes()) {
            refuseWaiting(ModuleException.Kind.STALE, "its mailbox was dropped");
          }
          post(told);
          held = false;
          begin();
        });
  }

  /** Nobody serves; what has begun is refused, and what waits unless it is held. */
  void vacate(Holder<M> old, String reason, Runnable told) {
    locked(
        () -> {
          serving = null;
          epoch = 0;
          refuseBegun(old, ModuleException.Kind.ABSENT, reason);
          if (!held) {
            refuseWaiting(ModuleException.Kind.ABSENT, reason);
          }
          post(told);
        });
  }

  /** The lease has ended. */
  void close(String reason) {
    locked(
        () -> {
          serving = null;
          epoch = 0;
          held = false;
          refuseWaiting(ModuleException.Kind.ABSENT, reason);
          for (Call<M, ?> call : begun) {
            leave(call, ModuleException.Kind.ABSENT, reason);
          }
        });
  }

  private void refuseWaiting(ModuleException.Kind why, String reason) {
    for (Call<M, ?> call : waiting) {
      refuse(call, why, reason);
    }
    waiting.clear();
    backlog = 0;
  }

  /** Answers whoever called; what is left runs to its end, which comes within a limit. */
  private void leave(Call<M, ?> call, ModuleException.Kind why, String reason) {
    refuse(call, why, reason);
    if (call.deadline.isEmpty()) {
      takeBack(call);
    }
  }

  /**
   * Answers the callers of what has begun there, which may still run to its end, and takes back
   * what was lent.
   */
  void refuseBegun(Holder<M> holder, ModuleException.Kind why, String reason) {
    locked(
        () -> {
          for (Call<M, ?> call : begun) {
            if (call.holder == holder) {
              leave(call, why, reason);
            }
          }
          holder.takeBackAll();
        });
  }

  /** Gives up what has begun there and does not end, and takes back what was lent. */
  void abandon(Holder<M> holder, String reason) {
    locked(
        () -> {
          for (Call<M, ?> call : List.copyOf(begun)) {
            if (call.holder == holder) {
              refuse(call, ModuleException.Kind.STALE, reason);
              abandon(call);
            }
          }
          holder.takeBackAll();
        });
  }

  /**
   * Has something done, under the lock of the table, when nothing runs in the instance and nothing
   * of it is lent any more, or when the limit has passed and what still ran was given up.
   *
   * @param wanted asked when the limit has passed: whether anybody still waits for it, or else what
   *     runs is left alone
   */
  void whenIdle(
      Holder<M> holder, Optional<Duration> limit, BooleanSupplier wanted, Consumer<Boolean> then) {
    boolean[] done = new boolean[1];
    Consumer<Boolean> once =
        inTime -> {
          if (!done[0]) {
            done[0] = true;
            then.accept(inTime);
          }
        };
    locked(
        () -> {
          if (holder.isIdle()) {
            control(() -> once.accept(true));
            return;
          }
          holder.whenIdle(() -> control(() -> once.accept(true)));
          limit.ifPresent(
              wait ->
                  after.add(
                      () ->
                          table.schedule(
                              wait,
                              () -> {
                                if (!done[0] && wanted.getAsBoolean()) {
                                  abandon(
                                      holder,
                                      "it had begun and did not end within "
                                          + text(wait)
                                          + " of a swap");
                                  once.accept(false);
                                }
                              })));
        });
  }
}
