package org.mezzo.api.allocator;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.allocator.Hindrance.Reason;
import org.mezzo.api.allocator.OfferExplanation.OnAgent;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * An allocator that keeps the index of the ledger, so that what is left to write is its policy: in
 * {@link #allocate} it chooses among those for whom {@link #hindrance} finds nothing, and makes
 * what it offers by {@link #propose}. It looks at every filter of an agent and at all that is held
 * there, which does for hundreds of agents, and knows neither quotas, weights nor capabilities.
 *
 * <p>Whoever overrides one of its methods calls it as well. Not for several threads; calls of the
 * master are one after the other.
 */
@ConsumerType
public abstract class IndexedAllocator implements Allocator {
  private final Map<String, AgentState> agents = new TreeMap<>();
  private final Map<String, FrameworkState> frameworks = new TreeMap<>();
  private final Map<String, Map<String, Resources>> held = new HashMap<>();
  private final Map<String, List<OfferFilter>> filters = new HashMap<>();
  private Clock clock = Clock.systemUTC();
  private AllocatorOptions options = AllocatorOptions.builder().build();
  private Optional<Set<String>> whitelist = Optional.empty();

  /** For subclasses. */
  protected IndexedAllocator() {}

  @Override
  public void open(DaemonContext context) throws Exception {
    clock = context.clock();
  }

  @Override
  public void start(AllocatorOptions given, AllocationState state) {
    options = given;
    whitelist = state.whitelist();
    state.agents().forEach(this::agentAdded);
    state.frameworks().forEach(this::frameworkAdded);
    state.filters().forEach(this::filterAdded);
  }

  @Override
  public void agentAdded(AgentState agent) {
    agents.put(agent.id(), agent);
    held.put(agent.id(), new HashMap<>(agent.used()));
  }

  @Override
  public void agentUpdated(AgentState agent) {
    agents.put(agent.id(), agent);
  }

  @Override
  public void agentRemoved(String agentId) {
    agents.remove(agentId);
    held.remove(agentId);
    filters.remove(agentId);
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    frameworks.put(framework.id(), framework);
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    frameworks.put(framework.id(), framework);
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    frameworks.remove(frameworkId);
    filtersRemoved(frameworkId, Set.of(), Optional.empty());
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    change(frameworkId, agentId, resources, Resources::plus);
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    change(frameworkId, agentId, resources, Resources::minus);
  }

  private void change(
      String frameworkId, String agentId, Resources resources, BinaryOperator<Resources> by) {
    Map<String, Resources> there = held.get(agentId);
    if (there != null) {
      Resources next = by.apply(there.getOrDefault(frameworkId, Resources.EMPTY), resources);
      if (next.isEmpty()) {
        there.remove(frameworkId);
      } else {
        there.put(frameworkId, next);
      }
    }
  }

  @Override
  public void filterAdded(OfferFilter filter) {
    filters.computeIfAbsent(filter.agentId(), id -> new ArrayList<>()).add(filter);
  }

  @Override
  public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
    filters.forEach(
        (id, there) -> {
          if (agentId.isEmpty() || agentId.get().equals(id)) {
            there.removeIf(
                filter ->
                    filter.frameworkId().equals(frameworkId)
                        && (roles.isEmpty() || roles.contains(filter.role())));
          }
        });
    filters.values().removeIf(List::isEmpty);
  }

  /** Does nothing. */
  @Override
  public void weightsUpdated(Map<String, Double> weights) {}

  /** Does nothing. */
  @Override
  public void quotasUpdated(Map<String, Quota> quotas) {}

  @Override
  public void whitelistUpdated(Optional<Set<String>> hostnames) {
    whitelist = hostnames;
  }

  /** All agents in the order of their ids, as the master told them last; a view. */
  protected final Collection<AgentState> agents() {
    return Collections.unmodifiableCollection(agents.values());
  }

  /** All frameworks in the order of their ids; a view. */
  protected final Collection<FrameworkState> frameworks() {
    return Collections.unmodifiableCollection(frameworks.values());
  }

  /**
   * What is allocated or offered on an agent now, by framework id; resources carry their roles. A
   * view; empty for an agent that is not there.
   */
  protected final Map<String, Resources> held(String agentId) {
    return Collections.unmodifiableMap(held.getOrDefault(agentId, Map.of()));
  }

  /**
   * What is free on an agent, not revocable, and may be offered under the role; without allocation
   * role. Empty for an agent that is not there.
   */
  protected final Resources free(String role, String agentId) {
    AgentState agent = agents.get(agentId);
    return agent == null ? Resources.EMPTY : free(agent).allocatableTo(role);
  }

  private Resources free(AgentState agent) {
    return agent
        .total()
        .minus(Resources.sum(held(agent.id()).values()).unallocated())
        .nonRevocable();
  }

  /**
   * The first reason why what is free on an agent must not be offered to a framework under a role;
   * empty when it may.
   */
  protected final Optional<Reason> hindrance(String frameworkId, String role, String agentId) {
    FrameworkState framework = frameworks.get(frameworkId);
    if (framework == null) {
      return Optional.of(Reason.UNKNOWN_FRAMEWORK);
    }
    if (!framework.active()) {
      return Optional.of(Reason.INACTIVE_FRAMEWORK);
    }
    if (!framework.roles().contains(role)) {
      return Optional.of(Reason.NOT_SUBSCRIBED);
    }
    if (framework.suppressed().contains(role)) {
      return Optional.of(Reason.SUPPRESSED);
    }
    AgentState agent = agents.get(agentId);
    if (agent == null) {
      return Optional.of(Reason.UNKNOWN_AGENT);
    }
    if (!agent.active()) {
      return Optional.of(Reason.INACTIVE_AGENT);
    }
    if (whitelist.isPresent() && !whitelist.get().contains(agent.info().getHostname())) {
      return Optional.of(Reason.WHITELIST);
    }
    if (framework.constraints().isAgentExcluded(role, agent.info())) {
      return Optional.of(Reason.CONSTRAINT);
    }
    Resources free = free(agent);
    Resources offer = free.allocatableTo(role);
    if (offer.isEmpty()) {
      return Optional.of(free.isEmpty() ? Reason.NOTHING_FREE : Reason.RESERVED);
    }
    List<Quantities> least = options.minAllocatable();
    if (!least.isEmpty() && least.stream().noneMatch(offer.quantities()::contains)) {
      return Optional.of(Reason.BELOW_MINIMUM);
    }
    return isFiltered(frameworkId, role, agentId, offer)
        ? Optional.of(Reason.FILTERED)
        : Optional.empty();
  }

  private boolean isFiltered(String frameworkId, String role, String agentId, Resources offer) {
    List<OfferFilter> there = filters.get(agentId);
    if (there == null) {
      return false;
    }
    Instant now = clock.instant();
    there.removeIf(filter -> !filter.expires().isAfter(now));
    return there.stream()
        .anyMatch(
            filter ->
                filter.frameworkId().equals(frameworkId)
                    && filter.role().equals(role)
                    && filter.resources().contains(offer));
  }

  /** Offers all that is {@link #free}, which counts as held from now on. */
  protected final Proposal propose(String frameworkId, String role, String agentId) {
    Resources offer = free(role, agentId).allocatedTo(role);
    allocated(frameworkId, agentId, offer);
    return new Proposal(frameworkId, role, agentId, offer);
  }

  /** What {@link #hindrance} finds, in the words of {@link #describe}. */
  @Override
  public Optional<OfferExplanation> explain(OfferQuestion question) {
    List<OnAgent> shown = new ArrayList<>();
    Map<Reason, Integer> counts = new EnumMap<>(Reason.class);
    int looked = 0;
    int free = 0;
    for (AgentState agent : agents.values()) {
      if (question.agentId().isPresent() && !question.agentId().get().equals(agent.id())) {
        continue;
      }
      looked++;
      Optional<Reason> reason = hindrance(question.frameworkId(), question.role(), agent.id());
      reason.ifPresent(one -> counts.merge(one, 1, Integer::sum));
      free += reason.isEmpty() ? 1 : 0;
      if (shown.size() < question.mostAgents()) {
        shown.add(
            new OnAgent(
                agent.id(),
                agent.info().getHostname(),
                reason.map(one -> describe(question, agent, one)).stream().toList()));
      }
    }
    return Optional.of(
        OfferExplanation.builder().agents(shown).looked(looked).free(free).counts(counts).build());
  }

  /** A hindrance for people; a policy that knows more about it says more. */
  protected Hindrance describe(OfferQuestion question, AgentState agent, Reason reason) {
    return Hindrance.builder(reason, reason.name().toLowerCase(Locale.ROOT).replace('_', ' '))
        .build();
  }
}
