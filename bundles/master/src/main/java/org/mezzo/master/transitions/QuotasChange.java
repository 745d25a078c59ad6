package org.mezzo.master.transitions;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.authorization.Action;
import org.mezzo.master.state.Consumption;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.protocol.v1.quota.QuotaConfig;
import org.mezzo.resources.Quantities;

/**
 * New quotas of some roles (rules 257 to 260). Roles with quota are of the first level, so that no
 * guarantee stands above another.
 *
 * @param force also where a role consumes more, or the cluster has less
 */
public record QuotasChange(List<QuotaConfig> configs, boolean force) implements PolicyChange {

  public QuotasChange {
    configs = List.copyOf(configs);
  }

  @Override
  public Action action() {
    return Action.UPDATE_QUOTA_WITH_CONFIG;
  }

  @Override
  public Set<String> roles() {
    return configs.stream().map(QuotaConfig::getRole).collect(Collectors.toSet());
  }

  @Override
  public Optional<Refusal> refusal(MasterState state, Settings settings) {
    Map<String, Quantities> consumption = force ? Map.of() : Consumption.of(state);
    for (QuotaConfig config : configs) {
      Optional<Refusal> refusal = refusal(config, settings, consumption);
      if (refusal.isPresent()) {
        return refusal;
      }
    }
    if (force || configs.isEmpty()) {
      return Optional.empty();
    }
    return Quotas.overcommitment(state, applied(state.nextPolicy()))
        .map(
            text ->
                Refusal.badRequest(
                    "Invalid QuotaConfig: " + text + " (use 'force' flag to bypass this check)"));
  }

  private static Optional<Refusal> refusal(
      QuotaConfig config, Settings settings, Map<String, Quantities> consumption) {
    String role = config.getRole();
    if (!settings.frameworks().welcomes(role)) {
      return refused("'" + role + "' is not on the roles whitelist");
    }
    if (role.contains("/")) {
      return Optional.of(
          Refusal.badRequest("Updating quota on nested role '" + role + "' is not supported yet"));
    }
    Optional<String> problem = Quotas.problem(config);
    if (problem.isPresent()) {
      return refused(problem.get());
    }
    Quantities consumed = consumption.getOrDefault(role, Quantities.EMPTY);
    Quantities limits = Quotas.of(config).limits();
    return Quotas.within(consumed, limits)
        ? Optional.empty()
        : refused(
            "Role '"
                + role
                + "' is already consuming '"
                + consumed
                + "'; this violates the requested quota limits '"
                + limits
                + "' (use 'force' flag to bypass this check)");
  }

  private static Optional<Refusal> refused(String text) {
    return Optional.of(Refusal.badRequest("Invalid QuotaConfig: " + text));
  }

  @Override
  public Policy applied(Policy before) {
    Policy after = before;
    for (QuotaConfig config : configs) {
      Quota quota = Quotas.of(config);
      after = Quotas.with(after, config.getRole(), quota);
    }
    return after;
  }

  @Override
  public PolicyRegistry.Section section() {
    return PolicyRegistry.Section.QUOTAS;
  }

  @Override
  public void settle(Transition tx) {
    Quotas.tell(tx);
    Offers.rescindInTurns(tx, Quotas.inTheWay(tx.state(), roles()));
  }
}
