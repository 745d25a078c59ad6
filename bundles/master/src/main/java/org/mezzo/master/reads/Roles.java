package org.mezzo.master.reads;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** The roles of a cluster (rules 358 and 359). Stateless. */
final class Roles {
  private Roles() {}

  /**
   * A known role.
   *
   * @param frameworks ids of the frameworks tracked directly under it
   * @param allocated by tasks and executors in its subtree
   * @param offered in its subtree
   * @param reserved in its subtree, used or not
   */
  record Role(
      String name,
      double weight,
      List<String> frameworks,
      Quantities allocated,
      Quantities offered,
      Quantities reserved) {
    Quantities resources() {
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
  static List<Role> of(MasterState state) {
    Map<String, Sums> sums = new TreeMap<>();
    for (Framework framework : state.frameworks().values()) {
      for (String role : framework.subscription().roles()) {
        track(sums, role).frameworks.add(framework.id());
      }
      framework
          .totalAllocated()
          .allocations()
          .forEach(
              (role, resources) -> {
                track(sums, role).frameworks.add(framework.id());
                subtree(sums, role, sum -> sum.allocated = plus(sum.allocated, resources));
              });
      framework
          .totalOffered()
          .allocations()
          .forEach(
              (role, resources) -> {
                track(sums, role).frameworks.add(framework.id());
                subtree(sums, role, sum -> sum.offered = plus(sum.offered, resources));
              });
    }
    for (Agent agent : state.agents().values()) {
      agent
          .total()
          .reserved()
          .forEach(
              (role, resources) ->
                  subtree(sums, role, sum -> sum.reserved = plus(sum.reserved, resources)));
    }
    state.weights().keySet().forEach(role -> track(sums, role));
    state.quotas().keySet().forEach(role -> track(sums, role));

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
                    sum.reserved)));
    return roles;
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
