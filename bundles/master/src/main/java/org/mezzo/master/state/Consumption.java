package org.mezzo.master.state;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Offer;
import org.mezzo.resources.Quantities;

/**
 * What roles consume of their quotas (rule 258): what is not revocable of that which tasks and
 * executors of the subtree have, and of its reservations that nobody uses. Stateless.
 */
public final class Consumption {
  private Consumption() {}

  /** What each role consumes, those above it included; of others it is nothing. */
  public static Map<String, Quantities> of(MasterState state) {
    Map<String, Quantities> sums = new HashMap<>();
    for (Account account : state.ledger().accounts().values()) {
      account
          .consumption()
          .forEach(
              (role, amount) -> upwards(role, each -> sums.merge(each, amount, Quantities::plus)));
    }
    return sums;
  }

  /**
   * What is offered to each role or allocated, those above it included, but for revocable
   * resources; of others it is nothing.
   */
  public static Map<String, Quantities> offeredOrAllocated(MasterState state) {
    Map<String, Quantities> sums = new HashMap<>();
    for (Account account : state.ledger().accounts().values()) {
      account
          .allocations()
          .forEach(
              (role, amount) -> upwards(role, each -> sums.merge(each, amount, Quantities::plus)));
    }
    for (Offer offer : state.offers().values()) {
      Quantities amount = offer.resources().nonRevocable().quantities();
      upwards(offer.role(), each -> sums.merge(each, amount, Quantities::plus));
    }
    return sums;
  }

  /** Does something for a role and each of those above it. */
  public static void upwards(String role, Consumer<String> action) {
    for (int end = role.length(); end > 0; end = role.lastIndexOf('/', end - 1)) {
      action.accept(role.substring(0, end));
    }
  }

  /** Whether a role is another one or below it (rule 360). */
  public static boolean within(String role, String root) {
    return role.equals(root) || role.startsWith(root + "/");
  }
}
