package org.mezzo.modules.leases;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.mezzo.api.Module;
import org.mezzo.modules.Loan;

/** Something of one instance that somebody uses. */
final class Lent<M extends Module, T> implements Loan<T> {

  /** One use, by one thread. */
  static final class Using<M extends Module> {
    final Lent<M, ?> lent;
    private final Thread thread = Thread.currentThread();
    private final Stuck stuck;

    /** It went on already when it was looked for the last time. For the timer's thread only. */
    boolean seen;

    private boolean over;
    private boolean givenUp;

    Using(Lent<M, ?> lent, Stuck stuck) {
      this.lent = lent;
      this.stuck = stuck;
    }

    /**
     * Does not count on its thread any more, unless it has just come back.
     *
     * @param account done before the thread can come back
     * @return where the thread is; empty when it has come back
     */
    synchronized Optional<String> giveUp(Runnable account) {
      if (over) {
        return Optional.empty();
      }
      givenUp = true;
      String stack = Mailbox.stack(thread);
      account.run();
      stuck.lost();
      // Under the lock, or it would hit whatever the thread does next.
      thread.interrupt();
      return Optional.of(stack);
    }

    /** Its thread is back; whether it was given up before. */
    private synchronized boolean end() {
      over = true;
      if (givenUp) {
        Thread.interrupted();
      }
      return givenUp;
    }
  }

  private final Mailbox<M> mailbox;
  final Holder<M> holder;

  /** The call which gave it. */
  final String operation;

  /** It is known how it went. Guarded by the lock of the lease. */
  boolean judged;

  private volatile T value;

  Lent(Mailbox<M> mailbox, Holder<M> holder, String operation, T value) {
    this.mailbox = mailbox;
    this.holder = holder;
    this.operation = operation;
    this.value = value;
  }

  @Override
  public Optional<T> get() {
    return Optional.ofNullable(value);
  }

  @Override
  public <R> Optional<R> use(Function<? super T, R> action, Stuck stuck) {
    T now = value;
    if (now == null) {
      return Optional.empty();
    }
    Using<M> using = new Using<>(this, stuck);
    mailbox.uses(using);
    R result;
    try {
      result = action.apply(now);
    } catch (RuntimeException | Error e) {
      end(using);
      throw e;
    }
    end(using);
    return Optional.ofNullable(result);
  }

  private void end(Using<M> using) {
    boolean late = using.end();
    mailbox.used(using);
    if (late) {
      using.stuck.back();
      mailbox.isBack(using);
      throw new CancellationException(
          "What " + operation + " gave came back after its thread was given up");
    }
  }

  /** Nobody can use it any more. */
  void revoke() {
    value = null;
  }

  @Override
  public void threw(Throwable thrown) {
    mailbox.threw(this, thrown);
  }

  @Override
  public void close() {
    mailbox.takeBack(this);
  }
}
