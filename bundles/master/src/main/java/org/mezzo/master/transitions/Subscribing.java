package org.mezzo.master.transitions;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.mezzo.master.state.Framework;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.AttributeConstraint;
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

  /** Looks at what a framework says. */
  public static Subscribing of(
      FrameworkInfo info, List<String> suppressed, OfferConstraints constraints) {
    Set<String> suppressedRoles = new HashSet<>(suppressed);
    Framework.Subscription subscription =
        new Framework.Subscription(
            Roles.of(info), suppressedRoles, Roles.capabilities(info), constraints);
    Optional<String> problem =
        Roles.problem(info)
            .or(
                () ->
                    info.hasId() && !info.getId().getValue().isEmpty()
                        ? Identifiers.problem(info.getId().getValue())
                        : Optional.empty())
            .or(() -> filtersProblem(info))
            .or(() -> timeoutProblem(info.getFailoverTimeout()));
    return new Subscribing(
        info,
        subscription,
        problem,
        laterProblem(subscription, suppressedRoles, constraints),
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

  private static Optional<String> laterProblem(
      Framework.Subscription subscription, Set<String> suppressed, OfferConstraints constraints) {
    Set<String> strange = new HashSet<>(suppressed);
    strange.removeAll(subscription.roles());
    if (!strange.isEmpty()) {
      return Optional.of(
          "Suppressed roles " + Roles.shown(strange) + " are not contained in the set of roles");
    }
    for (var entry : constraints.getRoleConstraintsMap().entrySet()) {
      if (!subscription.roles().contains(entry.getKey())) {
        return Optional.of(
            "Offer constraints specify `role_constraints` for a role '"
                + entry.getKey()
                + "'not contained in the set of roles");
      }
      for (var group : entry.getValue().getGroupsList()) {
        for (AttributeConstraint constraint : group.getAttributeConstraintsList()) {
          Optional<String> problem = regexProblem(constraint.getPredicate());
          if (problem.isPresent()) {
            return problem;
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> regexProblem(AttributeConstraint.Predicate predicate) {
    String regex =
        switch (predicate.getPredicateCase()) {
          case TEXT_MATCHES -> predicate.getTextMatches().getRegex();
          case TEXT_NOT_MATCHES -> predicate.getTextNotMatches().getRegex();
          default -> "";
        };
    try {
      Pattern.compile(regex);
      return Optional.empty();
    } catch (PatternSyntaxException e) {
      return Optional.of(
          "Offer constraints are not valid: the regular expression '"
              + regex
              + "' cannot be compiled: "
              + e.getDescription());
    }
  }
}
