package org.mezzo.modules;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Something that a module gave and that is used for longer than the call which gave it. Until it is
 * given back the instance it came from is not closed in a swap, within the handover limit of its
 * kind; it takes up no call, and no deadline runs. Safe for any thread.
 *
 * @param <T> what was given
 */
@ProviderType
public interface Loan<T> extends AutoCloseable {

  /**
   * What was given; empty once it was given back, and once its instance no longer holds the lease
   * or has had its time to hand over.
   */
  Optional<T> get();

  /**
   * What was given has thrown something while it was used: the call which gave it counts as one
   * that threw, once. One that is given back without that counts as one that did not.
   */
  void threw(Throwable thrown);

  /** Gives it back. Nothing when it was given back before. */
  @Override
  void close();
}
