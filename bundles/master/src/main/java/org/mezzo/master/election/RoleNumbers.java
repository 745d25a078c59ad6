package org.mezzo.master.election;

import java.util.HashMap;
import java.util.Map;
import org.mezzo.api.allocator.Quota;
import org.mezzo.master.state.Consumption;
import org.mezzo.master.state.MasterState;
import org.mezzo.resources.Quantities;

/**
 * The numbers of roles: filters in force, and of roles with a quota what it is and how much of it
 * is used. Only where there is a quota, agents are walked, which know what is consumed on them.
 * Stateless.
 */
final class RoleNumbers {
  private static final String FILTERS = "allocator/mesos/offer_filters/roles/";
  private static final String QUOTA = "allocator/mesos/quota/roles/";

  private RoleNumbers() {}

  /** All of them by name. */
  static Map<String, Double> of(MasterState state) {
    Map<String, Double> numbers = new HashMap<>();
    state
        .filters()
        .counts()
        .forEach((role, count) -> numbers.put(FILTERS + role + "/active", (double) count));
    if (!state.quotas().isEmpty()) {
      quotas(state, numbers);
    }
    return numbers;
  }

  private static void quotas(MasterState state, Map<String, Double> numbers) {
    Map<String, Quantities> consumed = Consumption.of(state);
    Map<String, Quantities> taken = Consumption.offeredOrAllocated(state);
    state
        .quotas()
        .forEach(
            (role, quota) -> {
              put(numbers, role, "guarantee", quota.guarantees(), quota.guarantees());
              put(numbers, role, "limit", quota.limits(), quota.limits());
              put(numbers, role, "consumed", named(quota), of(consumed, role));
              put(numbers, role, "offered_or_allocated", named(quota), of(taken, role));
            });
  }

  private static Quantities of(Map<String, Quantities> byRole, String role) {
    return byRole.getOrDefault(role, Quantities.EMPTY);
  }

  /** Something of each resource that the quota names. */
  private static Quantities named(Quota quota) {
    return quota.guarantees().plus(quota.limits());
  }

  private static void put(
      Map<String, Double> numbers, String role, String what, Quantities names, Quantities amounts) {
    for (String name : names.names()) {
      numbers.put(QUOTA + role + "/resources/" + name + "/" + what, amounts.get(name) / 1000.0);
    }
  }
}
