package org.mezzo.allocator.drf;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.resources.Resources;

/** An agent as the allocator sees it. */
final class Agent {
  final String id;
  AgentInfo info;
  boolean active;
  boolean multiRole;
  boolean hierarchicalRole;
  boolean hasGpus;
  Optional<String> region;
  Resources total;

  /** By framework id, with allocation roles. */
  final Map<String, Resources> used = new HashMap<>();

  /** What is used of everything that is not shared, without allocation roles. */
  private Resources taken = Resources.EMPTY;

  /** What can be offered. Shared resources never become less (section 2). */
  Resources available;

  Agent(AgentState state) {
    this.id = state.id();
    update(state);
  }

  /** Takes over everything but what is used. */
  void update(AgentState state) {
    Set<String> capabilities = state.capabilities();
    info = state.info();
    active = state.active();
    multiRole = capabilities.contains("MULTI_ROLE");
    hierarchicalRole = capabilities.contains("HIERARCHICAL_ROLE");
    region =
        info.getDomain().hasFaultDomain()
            ? Optional.of(info.getDomain().getFaultDomain().getRegion().getName())
            : Optional.empty();
    total = state.total().unallocated();
    hasGpus = total.scalar("gpus") > 0;
    reckon();
  }

  void use(String frameworkId, Resources allocated) {
    used.merge(frameworkId, allocated, Resources::plus);
    taken = taken.plus(allocated.nonShared().unallocated());
    reckon();
  }

  void release(String frameworkId, Resources allocated) {
    used.computeIfPresent(
        frameworkId,
        (id, before) -> {
          Resources left = before.minus(allocated);
          return left.isEmpty() ? null : left;
        });
    taken = taken.minus(allocated.nonShared().unallocated());
    reckon();
  }

  private void reckon() {
    available = total.minus(taken);
  }

  /** What of these resources the framework really has here. */
  Resources held(String frameworkId, Resources allocated) {
    Resources has = used.getOrDefault(frameworkId, Resources.EMPTY);
    return has.contains(allocated) ? allocated : has.minus(has.minus(allocated));
  }
}
