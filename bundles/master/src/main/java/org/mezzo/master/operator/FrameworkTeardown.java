package org.mezzo.master.operator;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Removal;
import org.mezzo.master.transitions.Frameworks;

/** Ends frameworks because an operator wants it (rule 41), by call or by form. For any thread. */
public final class FrameworkTeardown {
  private final Leadership leadership;
  private final Authorization authorization;

  public FrameworkTeardown(Leadership leadership, Authorization authorization) {
    this.leadership = leadership;
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
        .thenCompose(approved -> remove(approved, principal));
  }

  private CompletionStage<Void> remove(Framework approved, Optional<Principal> principal) {
    CompletableFuture<Void> removed = new CompletableFuture<>();
    leadership.withTerm(
        term -> {
          try {
            term.run(
                tx -> {
                  Framework present = tx.framework(approved.id());
                  // Leave was given for the framework of that principal only.
                  if (present == null
                      || present.phase() == Framework.Phase.LEAVING
                      || !present.principal().equals(approved.principal())) {
                    tx.answer(() -> removed.completeExceptionally(unknown()));
                  } else {
                    Frameworks.remove(
                        tx,
                        present,
                        Removal.byOperator(principal.flatMap(Principal::value)),
                        later -> later.answer(() -> removed.complete(null)));
                  }
                });
          } catch (RuntimeException e) {
            removed.completeExceptionally(e);
            throw e;
          }
        },
        () -> removed.completeExceptionally(noLeader()));
    return removed;
  }

  private static Refused unknown() {
    return new Refused(400, "No framework found with specified ID");
  }

  private static Refused noLeader() {
    return new Refused(503, "No leader elected");
  }
}
