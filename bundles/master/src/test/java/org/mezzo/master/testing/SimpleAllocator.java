package org.mezzo.master.testing;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.InverseOffer;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.allocator.Recovery;
import org.mezzo.resources.Resources;

/** Offers everything that is free to the first framework and role that wants it. */
public final class SimpleAllocator implements Allocator {
  private final Clock clock;
  private final Map<String, AgentState> agents = new TreeMap<>();
  private final Map<String, Resources> free = new TreeMap<>();
  private final Map<String, FrameworkState> frameworks = new TreeMap<>();
  private final List<OfferFilter> filters = new ArrayList<>();

  /** What is proposed beside, right or wrong, in the next cycle. */
  public final List<Proposal> lies = new CopyOnWriteArrayList<>();

  /** Makes the answer of a cycle into the list that is returned. */
  public volatile UnaryOperator<List<Proposal>> answer = UnaryOperator.identity();

  /** The whole ledger as it was handed over. */
  public volatile AllocationState started;

  /** The weights as they were told last. */
  public volatile Map<String, Double> weights = Map.of();

  /** The quotas as they were told last. */
  public volatile Map<String, Quota> quotas = Map.of();

  /** What a new leader had found in the registry, as it was told last. */
  public volatile Optional<Recovery> recovery = Optional.empty();

  /** What each held by agent and framework is now, for comparison with the ledger. */
  public final Map<String, Map<String, Resources>> held = new HashMap<>();

  public SimpleAllocator(Clock clock) {
    this.clock = clock;
  }

  @Override
  public synchronized void start(AllocatorOptions options, AllocationState state) {
    started = state;
    weights = state.weights();
    quotas = state.quotas();
    recovery = state.recovery();
    state.frameworks().forEach(this::frameworkAdded);
    state.agents().forEach(this::agentAdded);
    filters.addAll(state.filters());
  }

  @Override
  public void recovered(Recovery told) {
    recovery = Optional.of(told);
  }

  @Override
  public synchronized void agentAdded(AgentState agent) {
    agents.put(agent.id(), agent);
    Resources left = agent.total();
    Map<String, Resources> here = new HashMap<>();
    for (Map.Entry<String, Resources> used : agent.used().entrySet()) {
      left = left.minus(used.getValue().unallocated());
      here.put(used.getKey(), used.getValue());
    }
    held.put(agent.id(), here);
    free.put(agent.id(), left);
  }

  @Override
  public synchronized void agentUpdated(AgentState agent) {
    agents.put(agent.id(), agent);
    Resources left = agent.total();
    for (Resources used : held.get(agent.id()).values()) {
      left = left.minus(used.unallocated());
    }
    free.put(agent.id(), left);
  }

  @Override
  public synchronized void agentRemoved(String agentId) {
    agents.remove(agentId);
    free.remove(agentId);
    held.remove(agentId);
  }

  @Override
  public synchronized void frameworkAdded(FrameworkState framework) {
    frameworks.put(framework.id(), framework);
  }

  @Override
  public synchronized void frameworkUpdated(FrameworkState framework) {
    frameworks.put(framework.id(), framework);
  }

  @Override
  public synchronized void frameworkRemoved(String frameworkId) {
    frameworks.remove(frameworkId);
  }

  @Override
  public synchronized void allocated(String frameworkId, String agentId, Resources resources) {
    held.get(agentId).merge(frameworkId, resources, Resources::plus);
    free.computeIfPresent(agentId, (id, before) -> before.minus(resources.unallocated()));
  }

  @Override
  public synchronized void released(String frameworkId, String agentId, Resources resources) {
    Map<String, Resources> here = held.get(agentId);
    if (here == null) {
      return;
    }
    here.computeIfPresent(
        frameworkId,
        (id, before) -> {
          Resources left = before.minus(resources);
          return left.isEmpty() ? null : left;
        });
    free.computeIfPresent(agentId, (id, before) -> before.plus(resources.unallocated()));
  }

  @Override
  public synchronized void filterAdded(OfferFilter filter) {
    filters.add(filter);
  }

  @Override
  public synchronized void filtersRemoved(
      String frameworkId, Set<String> roles, Optional<String> agentId) {
    filters.removeIf(
        filter ->
            filter.frameworkId().equals(frameworkId)
                && (roles.isEmpty() || roles.contains(filter.role()))
                && (agentId.isEmpty() || agentId.get().equals(filter.agentId())));
  }

  @Override
  public void weightsUpdated(Map<String, Double> now) {
    weights = now;
  }

  @Override
  public void quotasUpdated(Map<String, Quota> now) {
    quotas = now;
  }

  @Override
  public synchronized List<Proposal> allocate(Optional<Set<String>> candidates) {
    Instant now = clock.instant();
    filters.removeIf(filter -> !filter.expires().isAfter(now));
    List<Proposal> proposals = new ArrayList<>();
    for (AgentState agent : agents.values()) {
      if (agent.active() && candidates.map(set -> set.contains(agent.id())).orElse(true)) {
        propose(agent, proposals);
      }
    }
    proposals.addAll(lies);
    lies.clear();
    return answer.apply(proposals);
  }

  /** Everybody who holds something on an agent that is planned for, in every cycle. */
  @Override
  public synchronized List<InverseOffer> inverseOffers(Optional<Set<String>> candidates) {
    List<InverseOffer> wanted = new ArrayList<>();
    for (AgentState agent : agents.values()) {
      if (agent.unavailability().isPresent()) {
        held.get(agent.id()).keySet().forEach(it -> wanted.add(new InverseOffer(it, agent.id())));
      }
    }
    return wanted;
  }

  private void propose(AgentState agent, List<Proposal> proposals) {
    for (FrameworkState framework : frameworks.values()) {
      for (String role : framework.roles()) {
        Resources wanted = free.get(agent.id());
        boolean filtered =
            filters.stream()
                .anyMatch(
                    filter ->
                        filter.frameworkId().equals(framework.id())
                            && filter.role().equals(role)
                            && filter.agentId().equals(agent.id())
                            && filter.resources().contains(wanted));
        boolean enough = wanted.scalar("cpus") >= 10 || wanted.scalar("mem") >= 32_000;
        if (framework.active() && !framework.suppressed().contains(role) && enough && !filtered) {
          Resources given = wanted.allocatedTo(role);
          free.put(agent.id(), wanted.minus(wanted));
          held.get(agent.id()).merge(framework.id(), given, Resources::plus);
          proposals.add(new Proposal(framework.id(), role, agent.id(), given));
        }
      }
    }
  }

  /** Answers questions; null does not. */
  public volatile Function<OfferQuestion, OfferExplanation> explaining =
      question -> OfferExplanation.builder().build();

  @Override
  public Optional<OfferExplanation> explain(OfferQuestion question) {
    return Optional.ofNullable(explaining).map(it -> it.apply(question));
  }
}
