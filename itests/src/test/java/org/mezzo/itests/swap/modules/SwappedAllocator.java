package org.mezzo.itests.swap.modules;

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
import org.mezzo.resources.Resources;

/** The round-robin example under observation. Goes into test bundles. */
public final class SwappedAllocator implements Allocator {
  private final Witness witness = new Witness(KIND);
  private final RoundRobinAllocator allocator = new RoundRobinAllocator();

  @Override
  public void open(DaemonContext context) {
    allocator.open(context);
    witness.opening(context);
  }

  private void tell(String operation, Runnable change) {
    try {
      witness.call(
          operation,
          () -> {
            change.run();
            return true;
          });
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    tell("start", () -> allocator.start(options, state));
  }

  @Override
  public void agentAdded(AgentState agent) {
    tell("agentAdded", () -> allocator.agentAdded(agent));
  }

  @Override
  public void agentUpdated(AgentState agent) {
    tell("agentUpdated", () -> allocator.agentUpdated(agent));
  }

  @Override
  public void agentRemoved(String agentId) {
    tell("agentRemoved", () -> allocator.agentRemoved(agentId));
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    tell("frameworkAdded", () -> allocator.frameworkAdded(framework));
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    tell("frameworkUpdated", () -> allocator.frameworkUpdated(framework));
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    tell("frameworkRemoved", () -> allocator.frameworkRemoved(frameworkId));
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    tell("allocated", () -> allocator.allocated(frameworkId, agentId, resources));
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    tell("released", () -> allocator.released(frameworkId, agentId, resources));
  }

  @Override
  public void filterAdded(OfferFilter filter) {
    tell("filterAdded", () -> allocator.filterAdded(filter));
  }

  @Override
  public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
    tell("filtersRemoved", () -> allocator.filtersRemoved(frameworkId, roles, agentId));
  }

  @Override
  public void weightsUpdated(Map<String, Double> weights) {
    tell("weightsUpdated", () -> allocator.weightsUpdated(weights));
  }

  @Override
  public void quotasUpdated(Map<String, Quota> quotas) {
    tell("quotasUpdated", () -> allocator.quotasUpdated(quotas));
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    try {
      return witness.call("allocate", () -> allocator.allocate(candidates));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
