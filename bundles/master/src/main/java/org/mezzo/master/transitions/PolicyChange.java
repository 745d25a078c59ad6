package org.mezzo.master.transitions;

import java.util.Optional;
import java.util.Set;
import org.mezzo.api.authorization.Action;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;

/** What an operator wants of weights or quotas. Immutable. */
public interface PolicyChange {

  /** Whose leave it needs, for each of its {@link #roles}. */
  Action action();

  /** The roles it is about, as they were written. */
  Set<String> roles();

  /** What is wrong with it, told before what is not allowed; looks at the next policy. */
  Optional<Refusal> refusal(MasterState state, Settings settings);

  /** What is in its way though it is allowed, told after what is not allowed. */
  default Optional<Refusal> conflict(MasterState state) {
    return Optional.empty();
  }

  /** The policy after it. */
  Policy applied(Policy before);

  /** The part of the registry that it changes. */
  PolicyRegistry.Section section();

  /** Tells the allocator and takes offers back, once it is stored and in the state. */
  void settle(Transition tx);
}
