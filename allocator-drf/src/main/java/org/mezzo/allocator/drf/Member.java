package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** A framework under one of its roles. */
final class Member {
  final Framework framework;
  final Role role;
  final Sorter.Client client;

  /** Null when it wants every agent. */
  Constraints constraints;

  /** Null when the cluster's applies. */
  List<Quantities> minAllocatable;

  private final Map<Agent, List<OfferFilter>> filters = new HashMap<>();

  Member(Framework framework, Role role) {
    this.framework = framework;
    this.role = role;
    this.client = role.frameworks.add(framework.id, this);
    update();
  }

  void update() {
    constraints = framework.constraints.get(role.name);
    minAllocatable = framework.minAllocatable(role.name);
    role.frameworks.setActive(client, framework.wants(role.name));
  }

  /** Those it makes superfluous go. */
  void addFilter(Agent agent, OfferFilter filter) {
    List<OfferFilter> here = filters.computeIfAbsent(agent, a -> new ArrayList<>(1));
    here.removeIf(
        old ->
            !old.expires().isAfter(filter.expires())
                && filter.resources().contains(old.resources()));
    here.add(filter);
  }

  void clearFilters() {
    filters.clear();
  }

  void clearFilters(Agent agent) {
    filters.remove(agent);
  }

  /** Whether it refused, not long ago, something that contains the offer. */
  boolean filters(Agent agent, Resources offer, Instant now) {
    if (filters.isEmpty()) {
      return false;
    }
    List<OfferFilter> here = filters.get(agent);
    if (here == null) {
      return false;
    }
    for (int i = 0; i < here.size(); i++) {
      OfferFilter filter = here.get(i);
      if (filter.expires().isAfter(now) && filter.resources().contains(offer)) {
        return true;
      }
    }
    return false;
  }

  void forgetExpired(Instant now) {
    for (Iterator<List<OfferFilter>> all = filters.values().iterator(); all.hasNext(); ) {
      List<OfferFilter> here = all.next();
      here.removeIf(filter -> !filter.expires().isAfter(now));
      if (here.isEmpty()) {
        all.remove();
      }
    }
  }

  /** How many filters there are. */
  int filterCount() {
    int count = 0;
    for (List<OfferFilter> here : filters.values()) {
      count += here.size();
    }
    return count;
  }
}
