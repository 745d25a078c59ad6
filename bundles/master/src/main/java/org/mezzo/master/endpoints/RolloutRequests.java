package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.rollouts.Rollouts;

/**
 * Has the term that leads do something about module bundles of the cluster, when the one who asks
 * may. Safe for any thread.
 */
final class RolloutRequests {
  private final LeaderChanges changes;
  private final Authorization authorization;

  RolloutRequests(Leadership leadership, Authorization authorization) {
    changes = new LeaderChanges(leadership);
    this.authorization = authorization;
  }

  /** What to call somebody in the log and in what is wanted. */
  static String name(Optional<Principal> principal) {
    return principal.flatMap(Principal::value).orElse("somebody");
  }

  /**
   * Does it on the event loop, and then says how everything is.
   *
   * @param action whose approval it needs
   * @return fails with {@link Refused} in a {@link CompletionException}
   */
  CompletionStage<Rollouts.Report> ask(
      Optional<Principal> principal,
      Action action,
      Function<Rollouts, CompletionStage<Void>> what) {
    return permitted(principal, action).thenCompose(permitted -> changes.withRollouts(what));
  }

  /** Completes when somebody may do something, and fails as {@link #ask} when not. */
  CompletionStage<Void> permitted(Optional<Principal> principal, Action action) {
    return authorization
        .decide(principal, List.of(action), approvers -> approvers.approved(action))
        .thenCompose(
            allowed ->
                allowed ? CompletableFuture.completedFuture(null) : refused(403, "403 Forbidden."));
  }

  private static <T> CompletionStage<T> refused(int status, String text) {
    return CompletableFuture.failedFuture(new CompletionException(new Refused(status, text)));
  }
}
