package org.mezzo.testing.contract;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.mezzo.api.CallContext;
import org.mezzo.api.Module;
import org.mezzo.testing.FakeDaemonContext;

/**
 * One instance of a module, called as a daemon calls it: each call on a thread of its own, without
 * context class loader, in a {@link CallContext}, and no longer than its deadline. Safe for any
 * thread; who calls a serial kind calls from one.
 */
final class Instance<M extends Module> {
  private static final Duration HEALTH = Duration.ofSeconds(5);
  private static final Duration OPENING = Duration.ofSeconds(30);
  private static final Duration CLOSING = Duration.ofSeconds(10);

  /** Names of numbers that a daemon counts itself, and refuses to a module. */
  private static final Set<String> OF_THE_LEASE =
      Set.of(
          "calls",
          "failures",
          "late",
          "overloaded",
          "quarantines",
          "swaps",
          "backlog",
          "vacant",
          "unhealthy",
          "abandoned_threads");

  /** What is asked of the module. */
  interface Ask<M, R> {
    R of(M module) throws Exception;
  }

  /** What the module is told. */
  interface Tell<M> {
    void to(M module) throws Exception;
  }

  /** A call was taken back, as a test wanted: there is no answer. */
  static final class TakenBack extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TakenBack() {
      super("the call was taken back");
    }
  }

  private final FakeDaemonContext context;
  private final Duration deadline;
  private final int patience;
  private final Traces.Surroundings surroundings;
  private final Traces traces;
  private final AtomicInteger calls = new AtomicInteger();
  private volatile M module;
  private volatile int takenBack = -1;
  private volatile long nanosBefore;

  /**
   * Not opened yet.
   *
   * @param deadline of each call
   * @param patience how many times as long a call may take before it counts as late
   */
  Instance(
      M module,
      FakeDaemonContext context,
      Traces.Surroundings surroundings,
      Duration deadline,
      int patience) {
    this.module = module;
    this.surroundings = surroundings;
    traces = new Traces(surroundings);
    this.context = context;
    this.deadline = deadline;
    this.patience = patience;
  }

  FakeDaemonContext context() {
    return context;
  }

  void open() {
    surroundings.opened();
    call(
        "open",
        OPENING,
        opened -> {
          opened.open(context);
          return context;
        });
  }

  void rehearse() {
    call(
        "rehearse",
        CLOSING,
        opened -> {
          opened.rehearse();
          return context;
        });
  }

  /** Whether it says that it works with these parameters. */
  boolean reconfigure(Map<String, String> parameters) {
    return call("reconfigured", deadline, opened -> opened.reconfigured(parameters));
  }

  /** How it says that it is. */
  Optional<String> health() {
    return call("health", HEALTH, Module::health);
  }

  /** An answer that is never null; whatever is thrown is a failure. */
  <R> R ask(String what, Ask<M, R> ask) {
    return call(what, deadline, ask);
  }

  /** As {@link #ask}, of what has no answer. */
  void tell(String what, Tell<M> tell) {
    call(
        what,
        deadline,
        opened -> {
          tell.to(opened);
          return context;
        });
  }

  /** An answer that is never null, or empty for a checked exception, which is an answer as well. */
  <R> Optional<R> attempt(String what, Ask<M, R> ask) {
    try {
      return Optional.of(checked(what, run(what, deadline, ask)));
    } catch (RuntimeException e) {
      throw thrown(what, e);
    } catch (Exception e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new AssertionError(
            what + " threw " + e + " without a message; say what is wrong and what to do", e);
      }
      return Optional.empty();
    }
  }

  private <R> R call(String what, Duration limit, Ask<M, R> ask) {
    try {
      return checked(what, run(what, limit, ask));
    } catch (Exception e) {
      throw thrown(what, e);
    }
  }

  private static <R> R checked(String what, R answer) {
    if (answer == null) {
      throw new AssertionError(what + " gave null, which counts as a defect; give what is empty");
    }
    return answer;
  }

  private static RuntimeException thrown(String what, Exception e) {
    if (e instanceof TakenBack wanted) {
      return wanted;
    }
    throw new AssertionError(what + " threw " + e + " where it has to answer" + remedy(e), e);
  }

  private static String remedy(Exception e) {
    return e instanceof RuntimeException
        ? "; after a few unchecked exceptions a daemon quarantines the module"
        : "";
  }

  /** So many calls there were. */
  int calls() {
    return calls.get();
  }

  /** The call after so many more is taken back once it has run for so long. */
  void takeBack(int after, long nanos) {
    nanosBefore = nanos;
    takenBack = calls.get() + after;
  }

  private <R> R run(String what, Duration limit, Ask<M, R> ask) throws Exception {
    M opened = module;
    CallContext call = new CallContext();
    Callable<R> inside = () -> ask.of(opened);
    FutureTask<R> task = new FutureTask<>(() -> call.call(inside));
    Thread thread = traces.thread(task, "call of " + what);
    thread.start();
    boolean wanted = calls.getAndIncrement() == takenBack;
    if (wanted) {
      LockSupport.parkNanos(nanosBefore);
      call.cancel();
      thread.interrupt();
    }
    try {
      R answer = task.get(limit.toMillis() * patience, TimeUnit.MILLISECONDS);
      if (wanted) {
        throw new TakenBack();
      }
      return answer;
    } catch (ExecutionException e) {
      if (wanted) {
        throw new TakenBack();
      }
      if (e.getCause() instanceof Exception exception) {
        throw exception;
      }
      throw new AssertionError(what + " threw " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      AssertionError late =
          new AssertionError(
              (wanted ? "Taken back, " : "")
                  + what
                  + " has not returned after "
                  + limit.toMillis() * patience
                  + " ms; a daemon gives it "
                  + limit.toMillis()
                  + " ms. Its thread is where the trace of this error ends");
      late.setStackTrace(thread.getStackTrace());
      call.cancel();
      thread.interrupt();
      throw late;
    }
  }

  /** All numbers can be read, and have names that a daemon takes. */
  void checkNumbers() {
    for (String name : context.metrics().names()) {
      if (OF_THE_LEASE.contains(name) || name.startsWith("reports") || name.startsWith("call_ms")) {
        throw new AssertionError(
            "'" + name + "' is a number of the module's lease; take another name");
      }
      double value = context.metrics().value(name);
      if (Double.isNaN(value) || Double.isInfinite(value)) {
        throw new AssertionError("The metric '" + name + "' is " + value + ", which is no number");
      }
    }
  }

  /** Closes it, and checks that nothing of it is left; not for use from then on. */
  void close() {
    call(
        "close",
        CLOSING,
        opened -> {
          opened.close();
          return context;
        });
    WeakReference<M> closed = new WeakReference<>(module);
    module = null;
    context.metrics().names().forEach(context.metrics()::remove);
    surroundings.closed();
    List<String> left = traces.left(closed, patience);
    if (!left.isEmpty()) {
      List<String> lines = new ArrayList<>(left);
      lines.add(0, "After close() the instance has left:");
      throw new AssertionError(String.join("\n  ", lines));
    }
  }
}
