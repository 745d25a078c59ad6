package org.mezzo.master.policy;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.election.MasterTerm;
import org.mezzo.master.transitions.Policies;
import org.mezzo.master.transitions.PolicyChange;
import org.mezzo.master.transitions.Refusal;
import org.mezzo.master.transitions.Transition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes changes of weights and quotas, by whatever call they came: asks for leave, and has them
 * judged and made on the event loop. What is wrong is told before what is not allowed. Safe for any
 * thread.
 */
public final class PolicyChanges {
  private static final Logger LOG = LoggerFactory.getLogger(PolicyChanges.class);

  private final Leadership leadership;
  private final Authorization authorization;

  public PolicyChanges(Leadership leadership, Authorization authorization) {
    this.leadership = leadership;
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
        .thenCompose(
            allowed -> {
              CompletableFuture<Void> outcome = new CompletableFuture<>();
              leadership.withTerm(
                  term -> begin(term, change, allowed, outcome),
                  () -> refuse(outcome, 503, "No leader elected"));
              return outcome;
            });
  }

  /** Of each role; what is about none is about anything. */
  private static boolean approved(ObjectApprovers approvers, PolicyChange change) {
    Set<String> roles = change.roles();
    return roles.isEmpty()
        ? approvers.approved(change.action())
        : roles.stream().allMatch(role -> approvers.approved(change.action(), role));
  }

  private static void begin(
      MasterTerm term, PolicyChange change, boolean allowed, CompletableFuture<Void> outcome) {
    AutoCloseable following =
        term.follow(
            state -> {},
            (before, after, happenings) -> {},
            () ->
                refuse(
                    outcome,
                    503,
                    "This master leads no longer; whether the change was stored is not known"));
    outcome.whenComplete((unused, failure) -> close(following));
    try {
      term.run(tx -> begin(tx, change, allowed, outcome));
    } catch (RuntimeException e) {
      outcome.completeExceptionally(new CompletionException(e));
      throw e;
    }
  }

  private static void begin(
      Transition tx, PolicyChange change, boolean allowed, CompletableFuture<Void> outcome) {
    Optional<Refusal> refusal = Policies.refusal(tx, change);
    if (refusal.isPresent()) {
      tx.answer(() -> refuse(outcome, refusal.get().status(), refusal.get().text()));
    } else if (!allowed) {
      tx.answer(() -> refuse(outcome, 403, "403 Forbidden."));
    } else {
      make(tx, change, outcome);
    }
  }

  private static void make(Transition tx, PolicyChange change, CompletableFuture<Void> outcome) {
    Optional<Refusal> conflict = change.conflict(tx.state());
    if (conflict.isPresent()) {
      tx.answer(() -> refuse(outcome, conflict.get().status(), conflict.get().text()));
      return;
    }
    Policies.change(
        tx,
        change,
        later -> later.answer(() -> outcome.complete(null)),
        (later, reason) ->
            later.answer(() -> refuse(outcome, 500, "The registry refused the change: " + reason)));
  }

  private static void refuse(CompletableFuture<Void> outcome, int status, String text) {
    outcome.completeExceptionally(new CompletionException(new Refused(status, text)));
  }

  private static void close(AutoCloseable following) {
    try {
      following.close();
    } catch (Exception e) {
      LOG.debug("A change that is over could not stop following its term", e);
    }
  }
}
