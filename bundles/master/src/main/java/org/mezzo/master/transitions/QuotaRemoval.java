package org.mezzo.master.transitions;

import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.authorization.Action;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.resources.Quantities;

/**
 * The end of a role's quota, as it was asked for of old (rule 263).
 *
 * @param where it was asked for, as texts have it; may be empty
 */
public record QuotaRemoval(String role, String where) implements PolicyChange {
  @Override
  public Action action() {
    return Action.UPDATE_QUOTA;
  }

  @Override
  public Set<String> roles() {
    return Set.of(role);
  }

  @Override
  public Optional<Refusal> refusal(MasterState state, Settings settings) {
    if (!settings.frameworks().welcomes(role)) {
      return Optional.of(
          Refusal.badRequest(
              "Failed to validate remove quota request" + where + ": Unknown role '" + role + "'"));
    }
    return state.nextPolicy().quotas().containsKey(role)
        ? Optional.empty()
        : Optional.of(
            Refusal.badRequest(
                "Failed to remove quota" + where + ": Role '" + role + "' has no quota set"));
  }

  @Override
  public Policy applied(Policy before) {
    return Quotas.with(before, role, new Quota(Quantities.EMPTY, Quantities.EMPTY));
  }

  @Override
  public PolicyRegistry.Section section() {
    return PolicyRegistry.Section.QUOTAS;
  }

  @Override
  public void settle(Transition tx) {
    Quotas.tell(tx);
  }
}
