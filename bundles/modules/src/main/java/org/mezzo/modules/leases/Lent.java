package org.mezzo.modules.leases;

import java.util.Optional;
import org.mezzo.api.Module;
import org.mezzo.modules.Loan;

/** Something of one instance that somebody uses. */
final class Lent<M extends Module, T> implements Loan<T> {
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
