package org.mezzo.master.transitions;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.api.authorization.Action;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.protocol.v1.WeightInfo;

/**
 * New weights of some roles (rule 265).
 *
 * @param weights in the order in which they were written, the roles without blanks around them
 */
public record WeightsChange(List<WeightInfo> weights) implements PolicyChange {
  private static final String INVALID = "Failed to validate update weights request JSON";

  public WeightsChange {
    weights =
        weights.stream().map(it -> it.toBuilder().setRole(it.getRole().strip()).build()).toList();
  }

  @Override
  public Action action() {
    return Action.UPDATE_WEIGHT;
  }

  @Override
  public Set<String> roles() {
    return weights.stream().map(WeightInfo::getRole).collect(Collectors.toSet());
  }

  @Override
  public Optional<Refusal> refusal(MasterState state, Settings settings) {
    for (WeightInfo info : weights) {
      String role = info.getRole();
      Optional<String> invalid = Roles.problem(role);
      if (invalid.isPresent()) {
        return refused(": Invalid role '" + role + "': " + invalid.get());
      }
      if (!settings.frameworks().welcomes(role)) {
        return refused(": Unknown role '" + role + "'");
      }
      double weight = info.getWeight();
      if (!(weight > 0) || Double.isInfinite(weight)) {
        return refused(
            " for role '"
                + role
                + "': Invalid weight '"
                + shown(weight)
                + "': Weights must be positive"
                + (weight > 0 ? " and finite" : ""));
      }
    }
    return Optional.empty();
  }

  private static Optional<Refusal> refused(String text) {
    return Optional.of(Refusal.badRequest(INVALID + text));
  }

  private static String shown(double weight) {
    return weight == Math.rint(weight) && Math.abs(weight) < 1e15
        ? Long.toString((long) weight)
        : Double.toString(weight);
  }

  @Override
  public Policy applied(Policy before) {
    Map<String, Double> changed = new LinkedHashMap<>();
    weights.forEach(info -> changed.put(info.getRole(), info.getWeight()));
    return before.withWeights(changed);
  }

  @Override
  public PolicyRegistry.Section section() {
    return PolicyRegistry.Section.WEIGHTS;
  }

  @Override
  public void settle(Transition tx) {
    tell(tx);
    Set<String> changed = roles();
    if (tx.state().frameworks().values().stream().anyMatch(it -> uses(tx.state(), it, changed))) {
      Offers.rescindInTurns(tx, List.copyOf(tx.state().offers().keySet()));
    }
  }

  /** Tells the allocator all weights; whatever it proposed without knowing them is void. */
  static void tell(Transition tx) {
    Map<String, Double> all = Map.copyOf(tx.state().weights());
    tx.tellPolicy("weightsUpdated", it -> it.weightsUpdated(all));
  }

  /** Whether a framework keeps one of the roles alive (rule 358). */
  private static boolean uses(MasterState state, Framework framework, Set<String> roles) {
    Set<String> used = new HashSet<>(framework.subscription().roles());
    used.addAll(state.ledger().totalAllocatedTo(framework.id()).allocations().keySet());
    used.addAll(state.ledger().totalOfferedTo(framework.id()).allocations().keySet());
    used.retainAll(roles);
    return !used.isEmpty();
  }
}
