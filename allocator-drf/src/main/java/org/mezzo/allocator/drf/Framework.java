package org.mezzo.allocator.drf;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.protocol.v1.OfferFilters;
import org.mezzo.resources.Quantities;

/** A framework as the allocator sees it. */
final class Framework {
  final String id;

  /** By role: those it is subscribed to and those it still holds something under. */
  final Map<String, Member> members = new HashMap<>();

  /** The agents on which it holds something. */
  final Set<Agent> agents;

  FrameworkState state;
  boolean multiRole;
  boolean gpus;
  boolean regionAware;
  boolean revocable;
  boolean shared;
  boolean refined;

  Framework(FrameworkState state, Set<Agent> agents) {
    this.id = state.id();
    this.agents = new HashSet<>(agents);
    update(state);
  }

  void update(FrameworkState state) {
    this.state = state;
    Set<String> capabilities = state.capabilities();
    multiRole = capabilities.contains("MULTI_ROLE");
    gpus = capabilities.contains("GPU_RESOURCES");
    regionAware = capabilities.contains("REGION_AWARE");
    revocable = capabilities.contains("REVOCABLE_RESOURCES");
    shared = capabilities.contains("SHARED_RESOURCES");
    refined = capabilities.contains("RESERVATION_REFINEMENT");
  }

  /** Whether it may be offered something under the role now. */
  boolean wants(String role) {
    return state.active() && state.roles().contains(role) && !state.suppressed().contains(role);
  }

  /** Its own idea of the least offer under a role; null when it has none. */
  List<Quantities> minAllocatable(String role) {
    OfferFilters filters = state.info().getOfferFiltersMap().get(role);
    return filters != null && filters.hasMinAllocatableResources()
        ? filters.getMinAllocatableResources().getQuantitiesList().stream()
            .map(Framework::quantities)
            .toList()
        : null;
  }

  private static Quantities quantities(OfferFilters.ResourceQuantities message) {
    Map<String, Long> amounts = new HashMap<>();
    message
        .getQuantitiesMap()
        .forEach((name, scalar) -> amounts.put(name, Math.round(scalar.getValue() * 1000)));
    return Quantities.of(amounts);
  }
}
