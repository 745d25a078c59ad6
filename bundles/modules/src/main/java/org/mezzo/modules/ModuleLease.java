package org.mezzo.modules;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ProviderType;

/** A daemon's hold on one module. All methods return at once and are safe for any thread. */
@ProviderType
public interface ModuleLease<M extends Module> extends AutoCloseable {

  /** Something to do with the instance, on the lease's mailbox thread. */
  @FunctionalInterface
  interface Call<M, R> {
    R apply(M module) throws Exception;
  }

  /**
   * Selects another name: the present holder is handed over as in a swap. While no module of that
   * name is registered the present holder stays.
   */
  void select(String name);

  /** The epoch of the present holder; 0 while vacant. */
  long epoch();

  /** Who holds the lease now. */
  Optional<ModuleDescription> holder();

  /**
   * Puts a call into the mailbox of the holder of {@code epoch}. Calls run in the order in which
   * they were put.
   *
   * @param operation names the call in logs and metrics
   * @param deadline from the moment the call starts to run
   * @return completes on the events executor: with the result, or exceptionally with {@link
   *     ModuleException} when the module threw ({@code THREW}), was late ({@code LATE}), went away
   *     or does not exist ({@code ABSENT}), was replaced ({@code STALE}), or when too many calls
   *     wait already ({@code OVERLOADED}; the call is not made). No reply of an epoch follows its
   *     {@link LeaseListener#lost}. Cancelling the stage's future takes the call back or interrupts
   *     its thread.
   */
  <R> CompletionStage<R> call(long epoch, String operation, Duration deadline, Call<M, R> call);

  /** How many calls wait in the mailbox now. */
  int backlog();

  /**
   * Ends the lease; the holder is closed after the call that runs. The listener is not told; calls
   * without a reply are refused.
   */
  @Override
  void close();
}
