package org.mezzo.itests.allocators;

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
import org.mezzo.resources.Resources;

/** Listens and proposes nothing; the bad ones are made from it. Goes into test bundles. */
public class IdleAllocator implements Allocator {
  /** Called first by every method but {@link #allocate}. */
  protected void called() {}

  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    called();
  }

  @Override
  public void agentAdded(AgentState agent) {
    called();
  }

  @Override
  public void agentUpdated(AgentState agent) {
    called();
  }

  @Override
  public void agentRemoved(String agentId) {
    called();
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    called();
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    called();
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    called();
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    called();
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    called();
  }

  @Override
  public void filterAdded(OfferFilter filter) {
    called();
  }

  @Override
  public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
    called();
  }

  @Override
  public void weightsUpdated(Map<String, Double> weights) {
    called();
  }

  @Override
  public void quotasUpdated(Map<String, Quota> quotas) {
    called();
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    called();
    return List.of();
  }
}
