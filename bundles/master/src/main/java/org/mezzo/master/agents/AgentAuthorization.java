package org.mezzo.master.agents;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.StreamSupport;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.resources.Resources;

/** Whether agents may register (rules 135 and 136). Safe for any thread. */
public final class AgentAuthorization {
  /** Everybody may register. */
  public static final AgentAuthorization NONE = new AgentAuthorization(Authorization.none());

  private final Authorization authorization;

  /** Asks this about every registration. */
  public AgentAuthorization(Authorization authorization) {
    this.authorization = authorization;
  }

  /** Whether anybody is asked. */
  boolean demanded() {
    return authorization.demanded();
  }

  /**
   * What stands against a registration, first or later: that somebody may not be an agent at all,
   * or may not bring what is reserved for a role.
   *
   * @param principal who the agent is, as far as known
   * @param total what it brings
   * @return completes on any thread; empty when nothing does
   */
  CompletionStage<Optional<String>> refusal(Optional<String> principal, Resources total) {
    String who = principal.map(name -> "Principal '" + name + "'").orElse("An unknown principal");
    return authorization
        .decide(
            principal.map(Principal::named),
            List.of(Action.REGISTER_AGENT, Action.RESERVE_RESOURCES),
            approvers ->
                approvers.approved(Action.REGISTER_AGENT)
                    ? reserved(approvers, who, total)
                    : Optional.of(who + " may not register agents here"))
        .exceptionally(failure -> Optional.of("The master could not ask whether it may"));
  }

  private static Optional<String> reserved(ObjectApprovers approvers, String who, Resources total) {
    return StreamSupport.stream(total.spliterator(), false)
        .flatMap(resource -> resource.kind().reservations().stream())
        .map(reservation -> reservation.role())
        .distinct()
        .filter(role -> !approvers.approved(Action.RESERVE_RESOURCES, role))
        .findFirst()
        .map(role -> who + " may not bring agents with resources reserved for role '" + role + "'");
  }
}
