package org.mezzo.master.transitions;

import java.util.List;
import java.util.Optional;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How weights and quotas change (rules 257 to 266): judged by what they will be after everything
 * that is under way, stored as a whole, and in force once that is durable.
 */
public final class Policies {
  private static final Logger LOG = LoggerFactory.getLogger(Policies.class);

  private Policies() {}

  /** Tells an allocator that came before the registry was read what there is in it. */
  public static void recovered(Transition tx) {
    WeightsChange.tell(tx);
    Quotas.tell(tx);
  }

  /** What is wrong with a change; empty when it can be made. */
  public static Optional<Refusal> refusal(Transition tx, PolicyChange change) {
    MasterState state = tx.state();
    return change
        .refusal(state, tx.settings())
        .or(() -> change.section().problem(change.applied(state.nextPolicy())));
  }

  /**
   * Makes a change to which there is no refusal.
   *
   * @param done run when it is in force
   * @param refused told when the registry refused it
   */
  public static void change(Transition tx, PolicyChange change, Step done, Effect.Refused refused) {
    Policy next = change.applied(tx.state().nextPolicy());
    tx.become(tx.state().withPolicy(tx.state().policy(), next));
    byte[] value = change.section().bytes(next);
    tx.store(
        List.of(new Registry.Change(change.section().key(), value)),
        later -> {
          MasterState state = later.state();
          later.become(state.withPolicy(change.applied(state.policy()), state.nextPolicy()));
          change.settle(later);
          done.apply(later);
        },
        (later, reason) -> {
          LOG.error("{} of {} cannot be stored: {}", change.action(), change.roles(), reason);
          // What was asked for after it contains it, and is refused as well.
          Policy now = later.state().policy();
          Policy left = change.section().replaced(later.state().nextPolicy(), now);
          later.become(later.state().withPolicy(now, left));
          refused.apply(later, reason);
        });
  }
}
