package org.mezzo.master.reads;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.state.Consumption;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** The roles of a cluster (rules 358 and 359). Stateless. */
public final class Roles {
  private Roles() {}

  /**
   * A known role.
   *
   * @param frameworks ids of the frameworks tracked directly under it
   * @param allocated by tasks and executors in its subtree
   * @param offered in its subtree
   * @param reserved in its subtree, used or not
   * @param consumed of its quota
   */
  public record Role(
      String name,
      double weight,
      List<String> frameworks,
      Quantities allocated,
      Quantities offered,
      Quantities reserved,
      Quantities consumed) {
    /** All that is not free. */
    public Quantities resources() {
      return allocated.plus(offered);
    }
  }

  private static final class Sums {
    final TreeSet<String> frameworks = new TreeSet<>();
    Quantities allocated = Quantities.EMPTY;
    Quantities offered = Quantities.EMPTY;
    Quantities reserved = Quantities.EMPTY;
  }

  /** Sorted by name. */
  public static List<Role> of(MasterState state) {
    Map<String, Sums> sums = new TreeMap<>();
    for (Framework framework : state.frameworks().values()) {
      for (String role : framework.subscription().roles()) {
        track(sums, role).frameworks.add(framework.id());
      }
      state
          .ledger()
          .totalAllocatedTo(framework.id())
          .allocations()
          .forEach(
              (role, resources) -> {
                track(sums, role).frameworks.add(framework.id());
                subtree(sums, role, sum -> sum.allocated = plus(sum.allocated, resources));
              });
      state
          .ledger()
          .totalOfferedTo(framework.id())
          .allocations()
          .forEach(
              (role, resources) -> {
                track(sums, role).frameworks.add(framework.id());
                subtree(sums, role, sum -> sum.offered = plus(sum.offered, resources));
              });
    }
    for (Account account : state.ledger().accounts().values()) {
      account
          .total()
          .reserved()
          .forEach(
              (role, resources) ->
                  subtree(sums, role, sum -> sum.reserved = plus(sum.reserved, resources)));
    }
    state.weights().keySet().forEach(role -> track(sums, role));
    state.quotas().keySet().forEach(role -> track(sums, role));

    Map<String, Quantities> consumption = Consumption.of(state);
    List<Role> roles = new ArrayList<>();
    sums.forEach(
        (name, sum) ->
            roles.add(
                new Role(
                    name,
                    state.weights().getOrDefault(name, 1.0),
                    List.copyOf(sum.frameworks),
                    sum.allocated,
                    sum.offered,
                    sum.reserved,
                    consumption.getOrDefault(name, Quantities.EMPTY))));
    return roles;
  }

  /** The names of all roles that anything in the state belongs to, with their ancestors. */
  static Set<String> names(MasterState state) {
    Set<String> names = new TreeSet<>();
    for (Framework framework : state.frameworks().values()) {
      names.addAll(framework.subscription().roles());
    }
    for (Account account : state.ledger().accounts().values()) {
      for (Resources allocated : account.allocated().values()) {
        names.addAll(allocated.allocations().keySet());
      }
      names.addAll(account.total().reserved().keySet());
    }
    state.ledger().offeredRoles().forEach(names::add);
    for (RecoveredAgent agent : state.recoveredAgents().values()) {
      agent.info().getResourcesList().stream()
          .flatMap(resource -> resource.getReservationsList().stream())
          .forEach(reservation -> names.add(reservation.getRole()));
    }
    names.addAll(state.weights().keySet());
    names.addAll(state.quotas().keySet());
    Set<String> all = new TreeSet<>();
    for (String name : names) {
      for (int end = name.length(); end > 0; end = name.lastIndexOf('/', end - 1)) {
        all.add(name.substring(0, end));
      }
    }
    return all;
  }

  private static Quantities plus(Quantities sum, Resources resources) {
    return sum.plus(resources.quantities());
  }

  private static Sums track(Map<String, Sums> sums, String role) {
    subtree(sums, role, sum -> {});
    return sums.get(role);
  }

  /** Does something for the role and all its ancestors. */
  private static void subtree(
      Map<String, Sums> sums, String role, java.util.function.Consumer<Sums> action) {
    for (String name = role; ; ) {
      action.accept(sums.computeIfAbsent(name, unused -> new Sums()));
      int slash = name.lastIndexOf('/');
      if (slash < 0) {
        return;
      }
      name = name.substring(0, slash);
    }
  }
}
