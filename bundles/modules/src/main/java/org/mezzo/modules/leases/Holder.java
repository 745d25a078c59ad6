package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Module;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleException.Kind;
import org.mezzo.modules.ModuleLease;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of a module from its creation to its release, with the threads that alone touch it.
 * State is guarded by the lock of the table.
 */
final class Holder<M extends Module> {
  private static final Logger LOG = LoggerFactory.getLogger(Holder.class);
  private static final int STACK_LINES = 30;

  private final Lease<M> lease;
  private final LeaseTable table;
  private final Registration registration;
  private final ThreadPoolExecutor threads;
  private final Set<Call<?>> pending = new LinkedHashSet<>();
  private M instance;
  private int running;
  private long runningSince;
  private int throwsInARow;
  private long epoch;
  private long acquiredNanos;
  private boolean retired;
  private boolean hung;
  private boolean ending;

  Holder(Lease<M> lease, Registration registration) {
    this.lease = lease;
    this.table = lease.table();
    this.registration = registration;
    String name =
        lease.daemon()
            + "-"
            + registration.announcement().kind()
            + "-"
            + registration.announcement().name()
            + "@"
            + registration.announcement().bundleId();
    int concurrency = lease.request().concurrency();
    AtomicInteger number = new AtomicInteger();
    threads =
        new ThreadPoolExecutor(
            concurrency,
            concurrency,
            60,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread =
                  new Thread(task, concurrency == 1 ? name : name + "-" + number.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    threads.allowCoreThreadTimeOut(concurrency > 1);
  }

  Registration registration() {
    return registration;
  }

  long epoch() {
    return epoch;
  }

  /** For how long the last call that began has been running, while any runs. */
  Duration busy() {
    return running == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - runningSince);
  }

  int throwsInARow() {
    return throwsInARow;
  }

  void open() {
    table.entered(this);
    threads.execute(new Opening());
  }

  void acquired(long acquiredEpoch) {
    epoch = acquiredEpoch;
    acquiredNanos = System.nanoTime();
  }

  private long heldNanos() {
    return epoch == 0 ? 0 : System.nanoTime() - acquiredNanos;
  }

  <R> void enqueue(
      String operation,
      Duration deadline,
      ModuleLease.Call<M, R> call,
      CompletableFuture<R> reply) {
    Call<R> work = new Call<>(operation, deadline, call, reply);
    pending.add(work);
    lease.backlogCount().incrementAndGet();
    threads.execute(work);
    reply.whenComplete(
        (result, failure) -> {
          if (reply.isCancelled()) {
            table.locked(work::cancelled);
          }
        });
  }

  /** Takes away every call that has no reply yet; running the answer refuses them. */
  List<Runnable> refusePending(Kind kind, String reason) {
    List<Runnable> replies = new ArrayList<>();
    for (Call<?> call : pending) {
      call.leaveMailbox();
      replies.add(() -> call.refuse(kind, reason));
    }
    pending.clear();
    return replies;
  }

  /** No more calls; the instance is closed when the calls that run have returned. */
  void retire(Kind kind, String reason) {
    if (retired) {
      return;
    }
    refusePending(kind, reason).forEach(lease::post);
    retired = true;
    endWhenIdle();
  }

  private void endWhenIdle() {
    if (!retired || ending || running > 0) {
      return;
    }
    ending = true;
    threads.execute(new Closing());
    threads.shutdown();
  }

  /** Something that runs code of the module on a thread of this holder, under a deadline. */
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

    /** Whether it is still wanted when a thread is free for it. */
    abstract boolean begins();

    abstract Object body() throws Throwable;

    abstract void returned(Object result);

    abstract void threw(Throwable thrown);

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
      Throwable thrown = null;
      try {
        result = body();
      } catch (Throwable t) {
        thrown = t;
      }
      Object outcome = result;
      Throwable failure = thrown;
      table.locked(() -> end(outcome, failure));
    }

    private boolean begin() {
      if (!begins()) {
        return false;
      }
      running++;
      runningSince = System.nanoTime();
      thread = Thread.currentThread();
      timer = table.schedule(deadline, this::expire);
      return true;
    }

    private void end(Object result, Throwable thrown) {
      timer.ifPresent(scheduled -> scheduled.cancel(false));
      thread = null;
      Thread.interrupted();
      running--;
      if (abandoned) {
        LOG.info(
            "{} of {} has returned at last from {}",
            Lease.label(registration),
            lease.daemon(),
            operation);
        returnedTooLate(result);
        table.threadReturned();
      } else if (thrown != null) {
        threw(thrown);
      } else {
        returned(result);
      }
      if (!hung) {
        endWhenIdle();
      } else if (running == 0) {
        releaseAfterwards(instance);
        instance = null;
      }
    }

    private void expire() {
      if (thread == null || abandoned) {
        return;
      }
      abandoned = true;
      hung = true;
      ending = true;
      threads.shutdown();
      String problem =
          operation + " did not return within " + text(deadline) + ", its thread is at" + stack();
      lease.numbers().late.increment();
      table.threadAbandoned();
      thread.interrupt();
      late(problem);
      table.left(Holder.this);
    }

    private String stack() {
      StringBuilder stack = new StringBuilder();
      StackTraceElement[] elements = thread.getStackTrace();
      for (int i = 0; i < Math.min(elements.length, STACK_LINES); i++) {
        stack.append("\n  ").append(elements[i]);
      }
      return stack.toString();
    }

    final void interrupt() {
      if (thread != null) {
        thread.interrupt();
      }
    }

    final String operation() {
      return operation;
    }
  }

  private static String text(Duration duration) {
    return duration.toMillis() < 10_000 ? duration.toMillis() + " ms" : duration.toSeconds() + " s";
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
      Module created = registration.create();
      if (!lease.request().type().isInstance(created)) {
        registration.release(created);
        throw new ClassCastException(
            "it is no "
                + lease.request().type().getName()
                + " as this daemon knows it; build it against the API of this Mezzo");
      }
      M module = lease.request().type().cast(created);
      try {
        module.open(lease.request().context());
      } catch (Throwable t) {
        registration.release(created);
        throw t;
      }
      return module;
    }

    @Override
    void returned(Object result) {
      instance = lease.request().type().cast(result);
      lease.opened(Holder.this);
    }

    @Override
    void threw(Throwable thrown) {
      lease.numbers().failures.increment();
      LOG.warn("{} of {} cannot be opened", Lease.label(registration), lease.daemon(), thrown);
      lease.failed(Holder.this, "it cannot be opened: " + thrown, 0);
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

  private final class Call<R> extends Work {
    private final ModuleLease.Call<M, R> call;
    private final CompletableFuture<R> reply;
    private boolean waiting = true;

    Call(
        String operation,
        Duration deadline,
        ModuleLease.Call<M, R> call,
        CompletableFuture<R> reply) {
      super(operation, deadline);
      this.call = call;
      this.reply = reply;
    }

    /** Called when it begins to run or is taken away before, whichever is first. */
    void leaveMailbox() {
      if (waiting) {
        waiting = false;
        lease.backlogCount().decrementAndGet();
      }
    }

    void refuse(Kind kind, String reason) {
      reply.completeExceptionally(
          new ModuleException(kind, operation() + " gave no result: " + reason, null));
    }

    void cancelled() {
      if (pending.remove(this)) {
        leaveMailbox();
        interrupt();
      }
    }

    @Override
    boolean begins() {
      boolean wanted = pending.contains(this);
      if (wanted) {
        leaveMailbox();
      }
      return wanted;
    }

    @Override
    Object body() throws Throwable {
      return call.apply(instance);
    }

    @Override
    @SuppressWarnings("unchecked")
    void returned(Object result) {
      lease.numbers().calls.increment();
      if (pending.remove(this)) {
        throwsInARow = 0;
        lease.post(() -> reply.complete((R) result));
      }
    }

    @Override
    void threw(Throwable thrown) {
      lease.numbers().calls.increment();
      if (!pending.remove(this)) {
        return;
      }
      lease.numbers().failures.increment();
      lease.post(
          () ->
              reply.completeExceptionally(
                  new ModuleException(Kind.THREW, operation() + " threw " + thrown, thrown)));
      if (!(thrown instanceof RuntimeException) && !(thrown instanceof Error)) {
        // What an SPI declares is an answer, such as a file that is not there.
        throwsInARow = 0;
        LOG.debug("{} of {} threw", Lease.label(registration), lease.daemon(), thrown);
        return;
      }
      throwsInARow++;
      LOG.warn(
          "{} of {} threw in {}, {} times in a row now",
          Lease.label(registration),
          lease.daemon(),
          operation(),
          throwsInARow,
          thrown);
      if (throwsInARow >= table.limits().throwsInARow()) {
        lease.failed(
            Holder.this,
            throwsInARow + " calls in a row threw, the last one (" + operation() + ") " + thrown,
            heldNanos());
      }
    }

    @Override
    void late(String problem) {
      if (pending.remove(this)) {
        lease.post(
            () -> reply.completeExceptionally(new ModuleException(Kind.LATE, problem, null)));
      }
      lease.failed(Holder.this, problem, heldNanos());
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
    void threw(Throwable thrown) {
      lease.numbers().failures.increment();
      LOG.warn(
          "{} of {} threw while it was closed", Lease.label(registration), lease.daemon(), thrown);
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
          } catch (RuntimeException e) {
            LOG.warn(
                "{} of {} threw while it was released",
                Lease.label(registration),
                lease.daemon(),
                e);
          }
        });
  }
}
