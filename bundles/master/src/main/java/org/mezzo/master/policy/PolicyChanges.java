package org.mezzo.master.policy;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.transitions.Outcome;
import org.mezzo.master.transitions.Policies;
import org.mezzo.master.transitions.PolicyChange;
import org.mezzo.master.transitions.Refusal;
import org.mezzo.master.transitions.Transition;

/**
 * Makes changes of weights and quotas, by whatever call they came: asks for leave, and has them
 * judged and made on the event loop. What is wrong is told before what is not allowed. Safe for any
 * thread.
 */
public final class PolicyChanges {
  private final LeaderChanges changes;
  private final Authorization authorization;

  public PolicyChanges(LeaderChanges changes, Authorization authorization) {
    this.changes = changes;
    this.authorization = authorization;
  }

  /**
   * Makes a change.
   *
   * @return completes on the event loop when it is stored and in force, with a {@link
   *     CompletionException} around a {@link Refused} when it is not
   */
  public CompletionStage<Void> make(Optional<Principal> principal, PolicyChange change) {
    return authorization
        .decide(principal, List.of(change.action()), approvers -> approved(approvers, change))
        .thenCompose(allowed -> changes.make((tx, outcome) -> begin(tx, change, allowed, outcome)));
  }

  /** Of each role; what is about none is about anything. */
  private static boolean approved(ObjectApprovers approvers, PolicyChange change) {
    Set<String> roles = change.roles();
    return roles.isEmpty()
        ? approvers.approved(change.action())
        : roles.stream().allMatch(role -> approvers.approved(change.action(), role));
  }

  private static void begin(Transition tx, PolicyChange change, boolean allowed, Outcome outcome) {
    Optional<Refusal> refusal =
        Policies.refusal(tx, change)
            .or(() -> allowed ? Optional.empty() : Optional.of(Refusal.FORBIDDEN))
            .or(() -> change.conflict(tx.state()));
    if (refusal.isPresent()) {
      outcome.refused(tx, refusal.get());
    } else {
      Policies.change(tx, change, outcome::done, outcome::notStored);
    }
  }
}
