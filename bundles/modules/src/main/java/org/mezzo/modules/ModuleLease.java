package org.mezzo.modules;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A daemon's hold on one module. All methods return at once and are safe for any thread.
 *
 * <p>Calls are addressed to the lease, not to an instance: one that waits while the module is
 * swapped is answered by the successor, one that has begun by the instance it began on.
 *
 * <p>Every call gets an answer, on the events executor: its result, or a {@link ModuleException}:
 * {@code THREW} when the module threw or gave null, {@code LATE}, {@code ABSENT} when nobody holds
 * the lease, nor is being told what it takes over, or the holder went away without successor,
 * {@code STALE} when it was addressed to an epoch that is over or had begun and outlasted the
 * handover limit of its kind, {@code OVERLOADED} when too many calls wait already or there is no
 * thread (the call is not made). Cancelling the stage's future takes the call back or interrupts
 * its thread. What a module has thrown comes as a cause that runs no code of the module.
 */
@ProviderType
public interface ModuleLease<M extends Module> extends AutoCloseable {

  /** Something to ask of the instance, on a thread of the lease. Null is a fault of the module. */
  @FunctionalInterface
  interface Call<M, R> {
    R apply(M module) throws Exception;
  }

  /** Something to tell the instance, on a thread of the lease. */
  @FunctionalInterface
  interface Action<M> {
    void apply(M module) throws Exception;
  }

  /** What to call and how. */
  final class Terms {
    private final String operation;
    private final long epoch;
    private final Optional<Duration> deadline;
    private final boolean vital;

    private Terms(String operation, long epoch, Optional<Duration> deadline, boolean vital) {
      this.operation = operation;
      this.epoch = epoch;
      this.deadline = deadline;
      this.vital = vital;
    }

    /** Names the call in logs; whoever holds the lease answers within the deadline of the kind. */
    public static Terms of(String operation) {
      return new Terms(operation, 0, Optional.empty(), false);
    }

    /** The same with a deadline of its own, from the moment the call begins. */
    public Terms within(Duration other) {
      return new Terms(operation, epoch, Optional.of(other), vital);
    }

    /** The same for the holder of that epoch only. */
    public Terms only(long holder) {
      return new Terms(operation, holder, deadline, vital);
    }

    /**
     * The same, and without it nothing else makes sense: a holder that throws in it is quarantined
     * at once, and none of the calls behind it begins there.
     */
    public Terms vital() {
      return new Terms(operation, epoch, deadline, true);
    }

    public String operation() {
      return operation;
    }

    /** The epoch addressed; 0 for any. */
    public long epoch() {
      return epoch;
    }

    /** Empty for that of the kind. */
    public Optional<Duration> deadline() {
      return deadline;
    }

    /** Whether it is {@linkplain #vital() vital}. */
    public boolean isVital() {
      return vital;
    }
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

  /** Asks; calls begin in the order in which they were put. */
  <R> CompletionStage<R> ask(Terms terms, Call<M, R> call);

  /**
   * Asks something that is answered by a stage. The deadline covers method and stage; in a serial
   * kind the next call begins when the stage has ended. A stage that ends too late is dropped.
   */
  <R> CompletionStage<R> askLater(Terms terms, Call<M, CompletionStage<R>> call);

  /**
   * Asks for something that is used after the answer. It has to be given back, also when it came
   * too late to be wanted: who cancels the stage's future before it is there need not.
   */
  <R> CompletionStage<Loan<R>> borrow(Terms terms, Call<M, R> call);

  /** Tells; completes with null when the module has returned. */
  CompletionStage<Void> tell(Terms terms, Action<M> action);

  /** Asks, within the deadline of the kind. */
  default <R> CompletionStage<R> ask(String operation, Call<M, R> call) {
    return ask(Terms.of(operation), call);
  }

  /** Asks for something to use after the answer, which comes within the deadline of the kind. */
  default <R> CompletionStage<Loan<R>> borrow(String operation, Call<M, R> call) {
    return borrow(Terms.of(operation), call);
  }

  /** Tells, within the deadline of the kind. */
  default CompletionStage<Void> tell(String operation, Action<M> action) {
    return tell(Terms.of(operation), action);
  }

  /**
   * Replaces the holder of that epoch by a fresh instance, of the same module where there is no
   * better one: what it was told cannot be relied on any more. Nothing when another one holds.
   *
   * @param fault whether the module is to blame, which counts as a failed instance
   */
  void renew(long epoch, String reason, boolean fault);

  /** How many calls wait now. */
  int backlog();

  /**
   * Ends the lease; the holder is closed after the calls that run. The listener is not told; calls
   * without a reply are refused.
   */
  @Override
  void close();
}
