package org.mezzo.modules;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Something that a module gave and that is used for longer than the call which gave it. Until it is
 * given back the instance it came from is not closed in a swap, within the handover limit of its
 * kind; it takes up no call, and no deadline runs while nothing is done with it. Safe for any
 * thread.
 *
 * @param <T> what was given
 */
@ProviderType
public interface Loan<T> extends AutoCloseable {

  /**
   * What was given; empty once it was given back, and once its instance no longer holds the lease
   * or has had its time to hand over. Where it runs code of the module, {@link #use} is for that.
   */
  Optional<T> get();

  /**
   * Does something with what was given, on the calling thread, which runs code of the module then.
   * Nobody can end that, so it is watched: when it has not returned after two to four seconds the
   * calling thread is interrupted and given up, the instance is quarantined as one that hangs, with
   * the stack in its description, and what it has lent is taken back.
   *
   * @param stuck told when the calling thread is given up, and when it comes back
   * @return what the action gives; empty for null, and where {@link #get} is empty
   * @throws CancellationException when the thread has come back, in whatever way, after it was
   *     given up
   */
  <R> Optional<R> use(Function<? super T, R> action, Stuck stuck);

  /** Told of a thread that does not come back from something that was lent. Must not wait. */
  interface Stuck {
    /** Nobody who needs the thread can count on it; told on another one. */
    void lost();

    /** It is back; told on itself, after {@link #lost}. */
    void back();
  }

  /**
   * What was given has thrown something while it was used: the call which gave it counts as one
   * that threw, once. One that is given back without that counts as one that did not.
   */
  void threw(Throwable thrown);

  /** Gives it back. Nothing when it was given back before. */
  @Override
  void close();
}
