package org.mezzo.examples.allocator;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Offers what is free on an agent to one framework after the other, whatever each has already.
 * Roles count only for reservations; weights and quotas do not count. Meant to be read and changed.
 */
@Component(service = Allocator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Allocator.KIND,
    name = "round-robin",
    version = "1.0.0",
    author = "me",
    description = "offers each free agent to the next framework in turn")
public final class RoundRobinAllocator implements Allocator {

  /** A framework under one of its roles, waiting for its turn. */
  private record Turn(String frameworkId, String role) {}

  private final Map<String, AgentState> agents = new TreeMap<>();
  private final Map<String, Resources> free = new HashMap<>();
  private final Map<String, FrameworkState> frameworks = new HashMap<>();
  private final ArrayDeque<Turn> turns = new ArrayDeque<>();
  private final List<OfferFilter> filters = new ArrayList<>();
  private Clock clock = Clock.systemUTC();
  private AllocatorOptions options = AllocatorOptions.builder().build();
  private Optional<Set<String>> whitelist = Optional.empty();

  @Override
  public void open(DaemonContext context) {
    clock = context.clock();
  }

  @Override
  public void start(AllocatorOptions given, AllocationState state) {
    options = given;
    whitelist = state.whitelist();
    state.agents().forEach(this::agentAdded);
    state.frameworks().forEach(this::frameworkAdded);
    filters.addAll(state.filters());
  }

  @Override
  public void agentAdded(AgentState agent) {
    agents.put(agent.id(), agent);
    Resources left = agent.total();
    for (Resources used : agent.used().values()) {
      left = left.minus(used.unallocated());
    }
    free.put(agent.id(), left);
  }

  @Override
  public void agentUpdated(AgentState agent) {
    AgentState before = agents.put(agent.id(), agent);
    Resources used = before.total().minus(free.get(agent.id()));
    free.put(agent.id(), agent.total().minus(used));
  }

  @Override
  public void agentRemoved(String agentId) {
    agents.remove(agentId);
    free.remove(agentId);
    filters.removeIf(filter -> filter.agentId().equals(agentId));
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    frameworkUpdated(framework);
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    frameworks.put(framework.id(), framework);
    turns.removeIf(
        turn ->
            turn.frameworkId().equals(framework.id()) && !framework.roles().contains(turn.role()));
    for (String role : framework.roles()) {
      Turn turn = new Turn(framework.id(), role);
      if (!turns.contains(turn)) {
        turns.addLast(turn);
      }
    }
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    frameworks.remove(frameworkId);
    turns.removeIf(turn -> turn.frameworkId().equals(frameworkId));
    filters.removeIf(filter -> filter.frameworkId().equals(frameworkId));
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    free.computeIfPresent(agentId, (id, left) -> left.minus(resources.unallocated()));
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    free.computeIfPresent(agentId, (id, left) -> left.plus(resources.unallocated()));
  }

  @Override
  public void filterAdded(OfferFilter filter) {
    filters.add(filter);
  }

  @Override
  public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
    filters.removeIf(
        filter ->
            filter.frameworkId().equals(frameworkId)
                && (roles.isEmpty() || roles.contains(filter.role()))
                && (agentId.isEmpty() || agentId.get().equals(filter.agentId())));
  }

  @Override
  public void weightsUpdated(Map<String, Double> weights) {}

  @Override
  public void quotasUpdated(Map<String, Quota> quotas) {}

  @Override
  public void whitelistUpdated(Optional<Set<String>> hostnames) {
    whitelist = hostnames;
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    Instant now = clock.instant();
    filters.removeIf(filter -> !filter.expires().isAfter(now));
    List<Proposal> proposals = new ArrayList<>();
    for (AgentState agent : agents.values()) {
      if (!agent.active()
          || !candidates.map(ids -> ids.contains(agent.id())).orElse(true)
          || !whitelist.map(names -> names.contains(agent.info().getHostname())).orElse(true)) {
        continue;
      }
      for (int i = turns.size(); i > 0; i--) {
        Turn turn = turns.removeFirst();
        turns.addLast(turn);
        Resources offer = free.get(agent.id()).allocatableTo(turn.role()).nonRevocable();
        if (isWorthOffering(offer) && wants(turn, agent, offer)) {
          free.computeIfPresent(agent.id(), (id, left) -> left.minus(offer));
          proposals.add(
              new Proposal(
                  turn.frameworkId(), turn.role(), agent.id(), offer.allocatedTo(turn.role())));
          break;
        }
      }
    }
    return proposals;
  }

  private boolean isWorthOffering(Resources offer) {
    List<Quantities> least = options.minAllocatable();
    return !offer.isEmpty()
        && (least.isEmpty() || least.stream().anyMatch(offer.quantities()::contains));
  }

  private boolean wants(Turn turn, AgentState agent, Resources offer) {
    FrameworkState framework = frameworks.get(turn.frameworkId());
    return framework.active()
        && !framework.suppressed().contains(turn.role())
        && !framework.constraints().isAgentExcluded(turn.role(), agent.info())
        && filters.stream()
            .noneMatch(
                filter ->
                    filter.frameworkId().equals(turn.frameworkId())
                        && filter.role().equals(turn.role())
                        && filter.agentId().equals(agent.id())
                        && filter.resources().contains(offer));
  }
}
