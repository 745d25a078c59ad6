package org.mezzo.master.transitions;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.master.constraints.CompiledConstraints;
import org.mezzo.master.constraints.InvalidConstraintsException;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Identifiers;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/**
 * What a framework says of itself when it subscribes or updates itself, with what can be judged of
 * it without any state (rule 27). Made off the event loop.
 *
 * @param problem what is wrong before the state is asked
 * @param laterProblem what is wrong after it was
 * @param root whether its user is root by name, or was found to be
 */
public record Subscribing(
    FrameworkInfo info,
    Framework.Subscription subscription,
    Optional<String> problem,
    Optional<String> laterProblem,
    boolean root) {
  private static final double MAX_SECONDS = Long.MAX_VALUE / 1e9;

  /** As below, with the default limits. */
  public static Subscribing of(
      FrameworkInfo info, List<String> suppressed, OfferConstraints constraints) {
    return of(info, suppressed, constraints, RegexLimits.DEFAULT);
  }

  /**
   * Looks at what a framework says.
   *
   * @param limits of the regular expressions in its constraints
   */
  public static Subscribing of(
      FrameworkInfo info,
      List<String> suppressed,
      OfferConstraints constraints,
      RegexLimits limits) {
    Set<String> suppressedRoles = new HashSet<>(suppressed);
    Optional<String> constraintsProblem = Optional.empty();
    CompiledConstraints compiled = CompiledConstraints.NONE;
    try {
      compiled = CompiledConstraints.of(constraints, limits);
    } catch (InvalidConstraintsException e) {
      constraintsProblem = Optional.of("Offer constraints are not valid: " + e.getMessage());
    }
    Framework.Subscription subscription =
        new Framework.Subscription(
            Roles.of(info), suppressedRoles, Roles.capabilities(info), compiled);
    Optional<String> problem =
        Roles.problem(info)
            .or(
                () ->
                    info.hasId() && !info.getId().getValue().isEmpty()
                        ? Identifiers.problem(info.getId().getValue())
                        : Optional.empty())
            .or(() -> filtersProblem(info))
            .or(() -> timeoutProblem(info.getFailoverTimeout()));
    Optional<String> unsuitable = constraintsProblem;
    return new Subscribing(
        info,
        subscription,
        problem,
        rolesProblem(subscription, suppressedRoles, constraints).or(() -> unsuitable),
        info.getUser().equals("root"));
  }

  /** The same of a framework whose user was found to be one with the user id 0. */
  public Subscribing asRoot() {
    return new Subscribing(info, subscription, problem, laterProblem, true);
  }

  private static Optional<String> filtersProblem(FrameworkInfo info) {
    for (var filters : info.getOfferFiltersMap().entrySet()) {
      for (var quantities : filters.getValue().getMinAllocatableResources().getQuantitiesList()) {
        for (Map.Entry<String, org.mezzo.protocol.v1.Value.Scalar> quantity :
            quantities.getQuantitiesMap().entrySet()) {
          double value = quantity.getValue().getValue();
          String prefix = "Invalid resource quantity for '" + quantity.getKey() + "': ";
          if (value < 0) {
            return Optional.of(prefix + "Negative values not supported");
          }
          if (!Double.isFinite(value)) {
            return Optional.of(prefix + "Not a finite number");
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> timeoutProblem(double seconds) {
    return Math.abs(seconds) <= MAX_SECONDS
        ? Optional.empty()
        : Optional.of(
            "The framework failover_timeout ("
                + seconds
                + ") is invalid: it must be a number of seconds below "
                + (long) MAX_SECONDS);
  }

  private static Optional<String> rolesProblem(
      Framework.Subscription subscription, Set<String> suppressed, OfferConstraints constraints) {
    Set<String> strange = new HashSet<>(suppressed);
    strange.removeAll(subscription.roles());
    if (!strange.isEmpty()) {
      return Optional.of(
          "Suppressed roles " + Roles.shown(strange) + " are not contained in the set of roles");
    }
    for (String role : constraints.getRoleConstraintsMap().keySet()) {
      if (!subscription.roles().contains(role)) {
        return Optional.of(
            "Offer constraints specify `role_constraints` for a role '"
                + role
                + "'not contained in the set of roles");
      }
    }
    return Optional.empty();
  }
}
