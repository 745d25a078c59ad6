package org.mezzo.modules.leases;

import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Module;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How an instance says it is. It is asked beside its calls, since a call may take long where
 * nothing is wrong; one question at a time, and none to modules that do not answer for themselves.
 * Has a lock of its own, under which nothing is called.
 */
final class Health {
  private static final Logger LOG = LoggerFactory.getLogger(Health.class);

  /** One question; guarded by the lock. */
  private static final class Question {
    private Thread thread;
    private boolean late;
  }

  private final Holder<?> holder;
  private final LeaseTable table;
  private final String label;
  private volatile String illness = "";
  private Question open;
  private Optional<Runnable> whenAnswered = Optional.empty();

  /**
   * Of an instance that is not asked yet.
   *
   * @param label names it in the log
   */
  Health(Holder<?> holder, LeaseTable table, String label) {
    this.holder = holder;
    this.table = table;
    this.label = label;
  }

  /** What is wrong by the last answer, or why there is none; empty when it is well. Any thread. */
  String illness() {
    return illness;
  }

  /** Asks now and then again and again, as long as the instance may act. */
  void begin() {
    if (answersForItself(holder.instance())) {
      ask();
    }
  }

  private static boolean answersForItself(Module instance) {
    if (instance == null) {
      return false;
    }
    try {
      return instance.getClass().getMethod("health").getDeclaringClass() != Module.class;
    } catch (NoSuchMethodException | LinkageError e) {
      LOG.debug("Whether {} has a health of its own is not known", instance.getClass(), e);
      return false;
    }
  }

  private void ask() {
    Question question = new Question();
    synchronized (this) {
      if (!holder.isValid() || open != null) {
        return;
      }
      open = question;
    }
    try {
      table.threads().execute(() -> put(question));
      table.later(table.limits().healthDeadline(), () -> late(question));
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      LOG.debug("There is no thread to ask {} how it is", label, e);
      over(question);
      again();
    }
  }

  private void again() {
    table.later(table.limits().healthInterval(), this::ask);
  }

  private void put(Question question) {
    Module instance = holder.instance();
    if (instance == null || !holder.isValid()) {
      over(question);
      return;
    }
    synchronized (this) {
      question.thread = Thread.currentThread();
    }
    Thread.currentThread().setName(holder.threadName());
    String said;
    try {
      Optional<String> answer = instance.health();
      said = answer == null ? "health() gave null" : answer.orElse("");
    } catch (Throwable t) {
      said = "health() threw " + Thrown.of(t).text();
    }
    answered(question, said);
  }

  private void answered(Question question, String said) {
    boolean late;
    synchronized (this) {
      question.thread = null;
      late = question.late;
    }
    // Whoever gave the question up has interrupted it.
    Thread.interrupted();
    if (late) {
      table.locked(
          () -> {
            holder.unstuck();
            table.threadReturned();
          });
    } else {
      over(question);
    }
    is(said);
    again();
  }

  private void late(Question question) {
    Thread thread;
    synchronized (this) {
      if (open != question || question.late) {
        return;
      }
      thread = question.thread;
      question.late = thread != null;
    }
    if (thread == null) {
      // All threads are busy, for which the module need not be to blame.
      table.later(table.limits().healthDeadline(), () -> late(question));
      return;
    }
    is(
        "health() did not return within "
            + Mailbox.text(table.limits().healthDeadline())
            + ", its thread is at"
            + Mailbox.stack(thread));
    holder.stuck();
    table.threadAbandoned();
    thread.interrupt();
    over(question);
  }

  private void is(String now) {
    String before = illness;
    illness = now;
    if (!holder.isValid()) {
      return;
    }
    if (!now.isEmpty() && !now.equals(before)) {
      LOG.warn("{} says that it is not well: {}", label, now);
    } else if (now.isEmpty() && !before.isEmpty()) {
      LOG.info("{} says that it is well again", label);
    }
  }

  private void over(Question question) {
    Optional<Runnable> then = Optional.empty();
    synchronized (this) {
      if (open == question) {
        open = null;
        then = whenAnswered;
        whenAnswered = Optional.empty();
      }
    }
    then.ifPresent(Runnable::run);
  }

  /**
   * Has something done when a question that is being answered is over, which is within a limit, and
   * has that end soon.
   *
   * @param then run on any thread, under no lock; not when nothing is being answered
   * @return whether something is being answered
   */
  boolean delays(Runnable then) {
    synchronized (this) {
      if (open == null) {
        return false;
      }
      whenAnswered = Optional.of(then);
      if (open.thread != null) {
        open.thread.interrupt();
      }
      return true;
    }
  }
}
