package org.mezzo.testing.contract;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;
import org.mezzo.resources.Roles;

/**
 * What a master knows of who has what, as plain as can be. Whatever changes is told the allocator
 * that follows, by exactly one call. For one thread.
 */
final class Ledger {
  private static final Set<String> CAPABLE = Set.of("MULTI_ROLE", "HIERARCHICAL_ROLE");

  private final Clock clock;
  private final AllocatorOptions options;
  private final Instance<Allocator> follower;
  final Map<String, AgentState> agents = new TreeMap<>();
  final Map<String, FrameworkState> frameworks = new TreeMap<>();
  private final Map<String, Map<String, Resources>> used = new TreeMap<>();
  private final List<OfferFilter> filters = new ArrayList<>();
  private Map<String, Quota> quotas = Map.of();
  private Optional<Set<String>> whitelist = Optional.empty();
  private int lastId;

  /** Of a cluster in which there is nothing; the follower was told so. */
  Ledger(Clock clock, AllocatorOptions options, Instance<Allocator> follower) {
    this.clock = clock;
    this.options = options;
    this.follower = follower;
  }

  /** The same, followed by another one, which was told {@link #state}. */
  Ledger(Ledger other, Instance<Allocator> follower) {
    this(other.clock, other.options, follower);
    agents.putAll(other.agents);
    frameworks.putAll(other.frameworks);
    other.used.forEach((agent, by) -> used.put(agent, new HashMap<>(by)));
    filters.addAll(other.filters);
    quotas = other.quotas;
    whitelist = other.whitelist;
    lastId = other.lastId;
  }

  /** All of it, as told an allocator that starts. */
  AllocationState state() {
    expire();
    List<AgentState> known = new ArrayList<>();
    agents.forEach((id, agent) -> known.add(agent.toBuilder().used(used.get(id)).build()));
    return AllocationState.builder()
        .agents(known)
        .frameworks(List.copyOf(frameworks.values()))
        .filters(filters)
        .quotas(quotas)
        .whitelist(whitelist)
        .build();
  }

  AgentState addAgent(String total) {
    String id = "agent-" + ++lastId;
    AgentState agent =
        AgentState.builder(id, AgentInfo.newBuilder().setHostname("host-of-" + id).build())
            .capabilities(CAPABLE)
            .total(Samples.resources(total))
            .build();
    agents.put(id, agent);
    used.put(id, new HashMap<>());
    follower.tell("agentAdded", it -> it.agentAdded(agent));
    return agent;
  }

  void update(AgentState agent) {
    agents.put(agent.id(), agent);
    follower.tell("agentUpdated", it -> it.agentUpdated(agent));
  }

  void removeAgent(String id) {
    agents.remove(id);
    used.remove(id);
    filters.removeIf(filter -> filter.agentId().equals(id));
    follower.tell("agentRemoved", it -> it.agentRemoved(id));
  }

  FrameworkState addFramework(String... roles) {
    String id = "framework-" + ++lastId;
    FrameworkState framework =
        FrameworkState.builder(
                id,
                FrameworkInfo.newBuilder()
                    .setUser("user")
                    .setName(id)
                    .addAllRoles(List.of(roles))
                    .build())
            .roles(Set.of(roles))
            .capabilities(Set.of("MULTI_ROLE"))
            .build();
    frameworks.put(id, framework);
    follower.tell("frameworkAdded", it -> it.frameworkAdded(framework));
    return framework;
  }

  /** As when it subscribes anew, by which its filters end. */
  void update(FrameworkState framework) {
    frameworks.put(framework.id(), framework);
    follower.tell("frameworkUpdated", it -> it.frameworkUpdated(framework));
    removeFilters(framework.id());
  }

  void removeFilters(String frameworkId) {
    filters.removeIf(filter -> filter.frameworkId().equals(frameworkId));
    follower.tell(
        "filtersRemoved", it -> it.filtersRemoved(frameworkId, Set.of(), Optional.empty()));
  }

  void removeFramework(String id) {
    for (String agent : List.copyOf(agents.keySet())) {
      held(id, agent)
          .allocations()
          .forEach((role, part) -> release(new Proposal(id, role, agent, part)));
    }
    filters.removeIf(filter -> filter.frameworkId().equals(id));
    frameworks.remove(id);
    follower.tell("frameworkRemoved", it -> it.frameworkRemoved(id));
  }

  void quotas(Map<String, Quota> next) {
    quotas = next;
    follower.tell("quotasUpdated", it -> it.quotasUpdated(next));
  }

  void whitelist(Optional<Set<String>> next) {
    whitelist = next;
    follower.tell("whitelistUpdated", it -> it.whitelistUpdated(next));
  }

  /** An operator, or an agent that comes back, gives a framework something unasked. */
  void allocate(Proposal what) {
    hold(what);
    follower.tell(
        "allocated", it -> it.allocated(what.frameworkId(), what.agentId(), what.resources()));
  }

  /** What was offered or ran is free again. */
  void release(Proposal what) {
    used.get(what.agentId())
        .computeIfPresent(
            what.frameworkId(),
            (id, before) -> {
              Resources left = before.minus(what.resources());
              return left.isEmpty() ? null : left;
            });
    follower.tell(
        "released", it -> it.released(what.frameworkId(), what.agentId(), what.resources()));
  }

  /** An offer is refused until then. */
  void decline(Proposal offer, Instant expires) {
    release(offer);
    OfferFilter filter =
        new OfferFilter(
            offer.frameworkId(),
            offer.role(),
            offer.agentId(),
            offer.resources().unallocated(),
            expires);
    filters.add(filter);
    follower.tell("filterAdded", it -> it.filterAdded(filter));
  }

  /** All that is held, part by part. */
  List<Proposal> held() {
    List<Proposal> parts = new ArrayList<>();
    used.forEach(
        (agent, by) ->
            by.forEach(
                (framework, held) ->
                    held.allocations()
                        .forEach(
                            (role, part) ->
                                parts.add(new Proposal(framework, role, agent, part)))));
    return parts;
  }

  private Resources held(String framework, String agent) {
    return used.get(agent).getOrDefault(framework, Resources.EMPTY);
  }

  private void hold(Proposal what) {
    used.get(what.agentId()).merge(what.frameworkId(), what.resources(), Resources::plus);
  }

  Resources free(String agent) {
    Resources free = agents.get(agent).total();
    for (Resources each : used.get(agent).values()) {
      free = free.minus(each.unallocated());
    }
    return free;
  }

  /** One cycle; what is proposed is checked, in order, and held from then on. */
  List<Proposal> cycle(Optional<Set<String>> candidates, boolean quotasCount) {
    expire();
    List<Proposal> proposals = follower.ask("allocate", it -> it.allocate(candidates));
    for (Proposal proposal : proposals) {
      if (proposal == null) {
        throw new AssertionError("allocate gave a list with null in it");
      }
      Optional<String> fault = fault(proposal, candidates, quotasCount);
      if (fault.isPresent()) {
        throw new AssertionError("allocate proposed " + proposal + ", but " + fault.get());
      }
      hold(proposal);
    }
    return proposals;
  }

  private void expire() {
    Instant now = clock.instant();
    filters.removeIf(filter -> !filter.expires().isAfter(now));
  }

  private Optional<String> fault(
      Proposal proposal, Optional<Set<String>> candidates, boolean quotasCount) {
    FrameworkState framework = frameworks.get(proposal.frameworkId());
    AgentState agent = agents.get(proposal.agentId());
    String role = proposal.role();
    if (framework == null) {
      return Optional.of("there is no such framework");
    } else if (!framework.active()) {
      return Optional.of("the framework is not active");
    } else if (!framework.roles().contains(role)) {
      return Optional.of("the framework is subscribed to " + framework.roles());
    } else if (framework.suppressed().contains(role)) {
      return Optional.of("the framework has suppressed offers under the role");
    } else if (agent == null) {
      return Optional.of("there is no such agent");
    } else if (!agent.active()) {
      return Optional.of("the agent is not active");
    } else if (candidates.isPresent() && !candidates.get().contains(agent.id())) {
      return Optional.of("the agents to look at are " + candidates.get());
    } else if (whitelist.isPresent() && !whitelist.get().contains(agent.info().getHostname())) {
      return Optional.of("the whitelist has only " + whitelist.get());
    } else if (framework.constraints().isAgentExcluded(role, agent.info())) {
      return Optional.of("the framework's offer constraints exclude the agent");
    }
    return faultOfResources(proposal, framework, quotasCount);
  }

  private Optional<String> faultOfResources(
      Proposal proposal, FrameworkState framework, boolean quotasCount) {
    Resources offered = proposal.resources().unallocated();
    String role = proposal.role();
    if (offered.isEmpty()) {
      return Optional.of("that is nothing");
    } else if (!offered.allocatedTo(role).equals(proposal.resources())) {
      return Optional.of("not all of it carries the role as its allocation role");
    } else if (!free(proposal.agentId()).contains(offered)) {
      return Optional.of("free there is only " + free(proposal.agentId()));
    } else if (!offered.allocatableTo(role).equals(offered)) {
      return Optional.of("some of it is reserved for other roles");
    } else if (offered.hasRevocable()
        && !framework.capabilities().contains("REVOCABLE_RESOURCES")) {
      return Optional.of("the framework cannot live with revocable resources");
    } else if (!options.minAllocatable().isEmpty()
        && options.minAllocatable().stream().noneMatch(offered.quantities()::contains)) {
      return Optional.of("an offer has to have one of " + options.minAllocatable());
    }
    for (OfferFilter filter : filters) {
      if (filter.frameworkId().equals(proposal.frameworkId())
          && filter.role().equals(role)
          && filter.agentId().equals(proposal.agentId())
          && filter.resources().contains(offered)) {
        return Optional.of("the framework refused that until " + filter.expires());
      }
    }
    return quotasCount ? faultOfQuota(role, offered) : Optional.empty();
  }

  /** A limit holds for offers under its role, and counts what the roles below it have. */
  private Optional<String> faultOfQuota(String role, Resources offered) {
    Quota quota = quotas.get(role);
    if (quota == null) {
      return Optional.empty();
    }
    Quantities counted = counted(offered);
    Quantities after = counted;
    for (Proposal held : held()) {
      if (Roles.isSameOrBelow(held.role(), role)) {
        after = after.plus(counted(held.resources().unallocated()));
      }
    }
    Quantities limits = quota.limits();
    for (String name : limits.names()) {
      if (counted.get(name) > 0 && after.get(name) > limits.get(name)) {
        return Optional.of("the quota of the role is limited to " + limits + ", and it has more");
      }
    }
    return Optional.empty();
  }

  private static Quantities counted(Resources resources) {
    return resources.nonRevocable().unreserved().quantities();
  }

  /** One of those that there are. */
  static <T> T any(Collection<T> all, Random random) {
    return List.copyOf(all).get(random.nextInt(all.size()));
  }

  static Set<String> some(Collection<String> all, Random random) {
    Set<String> some = new HashSet<>();
    for (String each : all) {
      if (random.nextBoolean()) {
        some.add(each);
      }
    }
    return some;
  }
}
