package org.mezzo.itests.allocators;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.resources.Resources;

/** Proposes what is not there, what is taken, and to nobody. Goes into test bundles. */
public final class LyingAllocator extends IdleAllocator {
  private final Map<String, Resources> totals = new ConcurrentHashMap<>();
  private final Map<String, String> roles = new ConcurrentHashMap<>();

  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    state.agents().forEach(this::agentAdded);
    state.frameworks().forEach(this::frameworkAdded);
  }

  @Override
  public void agentAdded(AgentState agent) {
    totals.put(agent.id(), agent.total());
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    roles.put(framework.id(), framework.roles().iterator().next());
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    List<Proposal> lies = new ArrayList<>();
    totals.forEach(
        (agent, total) ->
            roles.forEach(
                (framework, role) -> {
                  Resources all = total.allocatedTo(role);
                  lies.add(new Proposal(framework, role, agent, all.plus(all)));
                  lies.add(new Proposal(framework, role, agent, all));
                  lies.add(new Proposal(framework, role, agent, all));
                  lies.add(new Proposal(framework, role, agent, total));
                  lies.add(new Proposal(framework, role, agent, Resources.EMPTY));
                  lies.add(new Proposal(framework, "not-its-role", agent, all));
                  lies.add(new Proposal(framework, role, "no-such-agent", all));
                  lies.add(new Proposal("no-such-framework", role, agent, all));
                  lies.add(null);
                }));
    return lies;
  }
}
