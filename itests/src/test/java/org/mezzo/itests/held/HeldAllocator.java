package org.mezzo.itests.held;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.examples.allocator.RoundRobinAllocator;
import org.mezzo.itests.held.Hold.Step;
import org.mezzo.resources.Resources;

/** The round-robin example. Goes into test bundles. */
public final class HeldAllocator implements Allocator {
  private final RoundRobinAllocator allocator = new RoundRobinAllocator();

  @Override
  public void open(DaemonContext context) {
    Hold.at(context.rehearsal() ? Step.REHEARSED : Step.OPENED);
    allocator.open(context);
  }

  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    Hold.at(Step.TAKING_OVER);
    allocator.start(options, state);
  }

  @Override
  public void agentAdded(AgentState agent) {
    allocator.agentAdded(agent);
  }

  @Override
  public void agentUpdated(AgentState agent) {
    allocator.agentUpdated(agent);
  }

  @Override
  public void agentRemoved(String agentId) {
    allocator.agentRemoved(agentId);
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    allocator.frameworkAdded(framework);
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    allocator.frameworkUpdated(framework);
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    allocator.frameworkRemoved(frameworkId);
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    allocator.allocated(frameworkId, agentId, resources);
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    allocator.released(frameworkId, agentId, resources);
  }

  @Override
  public void filterAdded(OfferFilter filter) {
    allocator.filterAdded(filter);
  }

  @Override
  public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
    allocator.filtersRemoved(frameworkId, roles, agentId);
  }

  @Override
  public void weightsUpdated(Map<String, Double> weights) {
    allocator.weightsUpdated(weights);
  }

  @Override
  public void quotasUpdated(Map<String, Quota> quotas) {
    allocator.quotasUpdated(quotas);
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    Hold.at(Step.CALLED);
    return allocator.allocate(candidates);
  }
}
