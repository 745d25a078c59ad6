package org.mezzo.master.transitions;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.resources.Resources;

/** An allocator that only keeps what it is told, to be compared with one that starts anew. */
final class Mirror implements Allocator {
  final Map<String, Resources> totals = new HashMap<>();
  final Map<String, Optional<Unavailability>> unavailability = new HashMap<>();
  final Map<String, Boolean> active = new HashMap<>();
  final Map<String, Map<String, Resources>> used = new HashMap<>();
  final Map<String, Set<String>> roles = new HashMap<>();
  final Map<String, Set<String>> suppressed = new HashMap<>();
  final Map<String, Boolean> activeFrameworks = new HashMap<>();
  final Map<String, Double> weights = new HashMap<>();
  final Map<String, Quota> quotas = new HashMap<>();

  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    state.frameworks().forEach(this::frameworkAdded);
    state.agents().forEach(this::agentAdded);
    weightsUpdated(state.weights());
    quotasUpdated(state.quotas());
  }

  @Override
  public void agentAdded(AgentState agent) {
    agentUpdated(agent);
    Map<String, Resources> there = new HashMap<>(agent.used());
    there.values().removeIf(Resources::isEmpty);
    used.put(agent.id(), there);
  }

  @Override
  public void agentUpdated(AgentState agent) {
    totals.put(agent.id(), agent.total());
    active.put(agent.id(), agent.active());
    unavailability.put(agent.id(), agent.unavailability());
  }

  @Override
  public void agentRemoved(String agentId) {
    totals.remove(agentId);
    active.remove(agentId);
    unavailability.remove(agentId);
    used.remove(agentId);
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    roles.put(framework.id(), new HashSet<>(framework.roles()));
    suppressed.put(framework.id(), new HashSet<>(framework.suppressed()));
    activeFrameworks.put(framework.id(), framework.active());
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    frameworkAdded(framework);
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    roles.remove(frameworkId);
    suppressed.remove(frameworkId);
    activeFrameworks.remove(frameworkId);
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    used.get(agentId).merge(frameworkId, resources, Resources::plus);
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    Resources left = used.get(agentId).get(frameworkId).minus(resources);
    if (left.isEmpty()) {
      used.get(agentId).remove(frameworkId);
    } else {
      used.get(agentId).put(frameworkId, left);
    }
  }

  @Override
  public void filterAdded(OfferFilter filter) {}

  @Override
  public void filtersRemoved(String frameworkId, Set<String> ofRoles, Optional<String> agentId) {}

  @Override
  public void weightsUpdated(Map<String, Double> now) {
    weights.clear();
    weights.putAll(now);
  }

  @Override
  public void quotasUpdated(Map<String, Quota> now) {
    quotas.clear();
    quotas.putAll(now);
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    return List.of();
  }
}
