package org.mezzo.master.operator;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Removal;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Outcome;
import org.mezzo.master.transitions.Refusal;
import org.mezzo.master.transitions.Transition;

/** Ends frameworks because an operator wants it (rule 41), by call or by form. For any thread. */
public final class FrameworkTeardown {
  private static final Refusal UNKNOWN = new Refusal(400, "No framework found with specified ID");

  private final Leadership leadership;
  private final LeaderChanges changes;
  private final Authorization authorization;

  public FrameworkTeardown(
      Leadership leadership, LeaderChanges changes, Authorization authorization) {
    this.leadership = leadership;
    this.changes = changes;
    this.authorization = authorization;
  }

  /** The leave that it needs. */
  public static <R> Permission<R> permission() {
    return Permission.perObject(Action.TEARDOWN_FRAMEWORK);
  }

  /**
   * Ends a framework.
   *
   * @param id of the framework, subscribed or not
   * @param principal who wants it
   * @return completes when the framework is gone, on any thread; fails with {@link Refused}
   * @throws Refused when there is no such framework
   */
  public CompletionStage<Void> end(String id, Optional<Principal> principal) throws Refused {
    MasterState state = leadership.state().orElseThrow(FrameworkTeardown::noLeader);
    Framework framework = state.frameworks().get(id);
    if (framework == null) {
      throw unknown();
    }
    AuthorizationObject object =
        AuthorizationObject.builder()
            .value(framework.info().getPrincipal())
            .frameworkInfo(framework.info())
            .build();
    return authorization
        .decide(
            principal,
            List.of(Action.TEARDOWN_FRAMEWORK),
            approvers -> {
              if (!approvers.approved(Action.TEARDOWN_FRAMEWORK, object)) {
                throw new Refused(403, "403 Forbidden.");
              }
              return framework;
            })
        .thenCompose(
            approved -> changes.make((tx, outcome) -> remove(tx, approved, principal, outcome)));
  }

  private static void remove(
      Transition tx, Framework approved, Optional<Principal> principal, Outcome outcome) {
    Framework present = tx.framework(approved.id());
    // Leave was given for the framework of that principal only.
    if (present == null
        || present.phase() == Framework.Phase.LEAVING
        || !present.principal().equals(approved.principal())) {
      outcome.refused(tx, UNKNOWN);
    } else {
      Frameworks.remove(
          tx, present, Removal.byOperator(principal.flatMap(Principal::value)), outcome::done);
    }
  }

  private static Refused unknown() {
    return new Refused(UNKNOWN.status(), UNKNOWN.text());
  }

  private static Refused noLeader() {
    return new Refused(503, "No leader elected");
  }
}
