package org.mezzo.master.scheduler;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/**
 * What SUBSCRIBE and UPDATE_FRAMEWORK have in common: they tell who a framework is and which roles
 * it wants. Safe for any thread.
 */
final class Registrations {
  private final Authorization authorization;
  private final RegexLimits limits;

  /**
   * Looks at registrations.
   *
   * @param limits of regular expressions in offer constraints
   */
  Registrations(Authorization authorization, RegexLimits limits) {
    this.authorization = authorization;
    this.limits = limits;
  }

  /** Whether the id of a call is the one in its framework's description (rule 23). */
  static boolean sameId(boolean has, FrameworkID id, FrameworkInfo info) {
    return has == info.hasId() && id.getValue().equals(info.getId().getValue());
  }

  /** What a framework wants to be, as its principal says it. */
  Subscribing read(
      CallExchange exchange,
      FrameworkInfo given,
      List<String> suppressed,
      OfferConstraints constraints) {
    FrameworkInfo info =
        exchange.principalName().isPresent() && !given.hasPrincipal()
            ? given.toBuilder().setPrincipal(exchange.principalName().get()).build()
            : given;
    return Subscribing.of(info, suppressed, constraints, limits);
  }

  /** Why somebody may not speak for a framework; empty when it is its own. */
  static Optional<String> principalProblem(CallExchange exchange, FrameworkInfo info) {
    Optional<String> principal = exchange.principalName();
    return principal.isPresent()
            && info.hasPrincipal()
            && !principal.get().equals(info.getPrincipal())
        ? Optional.of(
            "Authenticated principal '"
                + principal.get()
                + "' does not match principal '"
                + info.getPrincipal()
                + "' set in `FrameworkInfo`")
        : Optional.empty();
  }

  /**
   * What the authorizer has against the roles; complete already when nobody is asked. It is asked
   * about the principal that the framework says it is, which is the sender where that is known.
   */
  CompletionStage<Optional<String>> refusal(CallExchange exchange, Subscribing request) {
    if (!authorization.demanded() || request.problem().isPresent()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    return authorization.decide(
        exchange
            .principal()
            .or(
                () ->
                    request.info().hasPrincipal()
                        ? Optional.of(Principal.named(request.info().getPrincipal()))
                        : Optional.empty()),
        List.of(Action.REGISTER_FRAMEWORK),
        approvers ->
            request.subscription().roles().stream()
                .filter(
                    role ->
                        !approvers.approved(
                            Action.REGISTER_FRAMEWORK,
                            AuthorizationObject.builder()
                                .value(role)
                                .frameworkInfo(request.info())
                                .build()))
                .findFirst()
                .map(role -> "Not authorized to use role '" + role + "'"));
  }
}
