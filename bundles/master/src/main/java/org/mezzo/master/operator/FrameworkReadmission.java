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
import org.mezzo.master.transitions.Outcome;
import org.mezzo.master.transitions.Refusal;
import org.mezzo.master.transitions.RemovedFrameworks;
import org.mezzo.master.transitions.Transition;

/**
 * Lets removed frameworks subscribe again because an operator wants it. Takes the leave that
 * removing them takes. For any thread.
 */
public final class FrameworkReadmission {
  private final Leadership leadership;
  private final LeaderChanges changes;
  private final Authorization authorization;

  public FrameworkReadmission(
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
   * Lets a framework subscribe again; once more changes nothing.
   *
   * @param id of a removed framework that is remembered
   * @param principal who wants it
   * @return completes when it may, on any thread; fails with {@link Refused}
   * @throws Refused when there is no such framework
   */
  public CompletionStage<Void> readmit(String id, Optional<Principal> principal) throws Refused {
    MasterState state = leadership.state().orElseThrow(FrameworkReadmission::noLeader);
    Framework framework =
        state
            .framework(id)
            .or(() -> state.completed(id))
            .orElseThrow(() -> refused(unknown(id, state)));
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
            approved -> changes.make((tx, outcome) -> readmit(tx, approved, principal, outcome)));
  }

  private static void readmit(
      Transition tx, Framework approved, Optional<Principal> principal, Outcome outcome) {
    String id = approved.id();
    Framework present = tx.framework(id);
    Optional<Framework> gone = tx.state().completed(id);
    if (present != null) {
      outcome.refused(tx, there(present));
      // Leave was given for the framework of that principal only.
    } else if (gone.isEmpty() || !gone.get().principal().equals(approved.principal())) {
      outcome.refused(tx, unknown(id, tx.state()));
    } else {
      RemovedFrameworks.readmit(tx, id, principal.flatMap(Principal::value));
      outcome.done(tx);
    }
  }

  private static Refusal there(Framework framework) {
    return framework.phase() == Framework.Phase.LEAVING
        ? new Refusal(
            409, "Framework " + framework.id() + " is still being removed: try again later")
        : new Refusal(
            400,
            "Framework "
                + framework.id()
                + " has not been removed: nothing keeps it from subscribing");
  }

  private static Refusal unknown(String id, MasterState state) {
    return new Refusal(
        400,
        "No removed framework '%s' is remembered (the last %d are, --max_completed_frameworks):"
                .formatted(id, state.limits().completedFrameworks())
            + " nothing keeps that id from subscribing");
  }

  private static Refused refused(Refusal refusal) {
    return new Refused(refusal.status(), refusal.text());
  }

  private static Refused noLeader() {
    return new Refused(503, "No leader elected");
  }
}
