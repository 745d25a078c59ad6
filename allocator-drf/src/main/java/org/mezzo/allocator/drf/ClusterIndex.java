package org.mezzo.allocator.drf;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.Quota;
import org.mezzo.resources.Resources;

/** Agents, frameworks, roles and who has what, kept in step with the ledger (section 2). */
final class ClusterIndex {
  final AllocatorOptions options;
  final Map<String, Agent> agents = new LinkedHashMap<>();

  /** Those of agents that are gone, to be given away before larger ones. */
  private final ArrayDeque<Integer> numbers = new ArrayDeque<>();

  final Map<String, Framework> frameworks = new HashMap<>();
  final Map<String, Role> roles = new HashMap<>();
  final Scalars scalars;
  final Sorter<Role> roleSorter;
  private final RandomGenerator random;

  /** Where frameworks hold something that were not added yet. */
  private final Map<String, Set<Agent>> expected = new HashMap<>();

  /** What roles have of their quotas. */
  final QuotaUse quotas = new QuotaUse();

  /** Who may be offered more than before, whatever the agent. */
  final Changes changes = new Changes();

  /** Agents that may be worth a visit whoever changed, in no order. */
  private final List<Agent> restless = new ArrayList<>();

  /** Agents on which a refusal ends at some time, some of them too early. */
  private final PriorityQueue<Waiting> waiting =
      new PriorityQueue<>(Comparator.comparingLong(Waiting::time));

  private record Waiting(long time, Agent agent) {}

  /** Members with an idea of their own of the least offer. */
  private int ownLeast;

  /** Counts what may let anybody be offered more anywhere. */
  private long era;

  /** What had happened when the last run for all agents began. */
  private long seenMoment = -1;

  private long seenEra;
  private long seenKeptBack;
  private boolean anyCut;

  /** Whether runs spare themselves what they know; not for tests that compare. */
  boolean sparing = true;

  ClusterIndex(AllocatorOptions options, RandomGenerator random) {
    this.options = options;
    this.random = random;
    this.scalars = new Scalars(options.excludedResourceNames());
    this.roleSorter = sorter(options.roleSorter(), false);
  }

  private <T> Sorter<T> sorter(String name, boolean flat) {
    return switch (name) {
      case "drf" -> new DrfSorter<>(scalars, flat);
      case "random" -> new RandomSorter<>(random, flat);
      default ->
          throw new IllegalArgumentException("Unknown sorter '" + name + "': choose drf or random");
    };
  }

  /** Anybody may be offered more than before, anywhere. */
  void changed() {
    era++;
  }

  /** What happens to everybody so far. */
  long era() {
    return era;
  }

  /** Whether the cluster's idea of the least offer is everybody's. */
  boolean leastIsCommon() {
    return ownLeast == 0;
  }

  /** Takes other quotas. */
  void setQuotas(Map<String, Quota> all) {
    quotas.set(all, agents.values());
    roles.values().forEach(role -> role.quota = quotas.use(role.name));
    changed();
  }

  /** Somebody may be offered more on an agent than before. */
  void wake(Agent agent) {
    agent.idle = null;
    if (agent.place < 0 && agents.get(agent.id) == agent) {
      agent.place = restless.size();
      restless.add(agent);
    }
  }

  /** An agent need not be visited before something happens. */
  void rest(Agent agent) {
    if (agent.place >= 0) {
      Agent last = restless.remove(restless.size() - 1);
      if (last != agent) {
        restless.set(agent.place, last);
        last.place = agent.place;
      }
      agent.place = -1;
    }
  }

  /** Nothing can be offered on an agent until something of this happens. */
  void rest(Agent agent, Agent.Idle idle) {
    agent.idle = idle;
    anyCut |= idle.cut();
    rest(agent);
    await(agent, idle.until());
  }

  /** Somewhere an offer is cut by what is kept back, so that it matters when that becomes less. */
  void noteCut() {
    anyCut = true;
  }

  private void await(Agent agent, long time) {
    if (time < agent.queuedFor) {
      agent.queuedFor = time;
      waiting.add(new Waiting(time, agent));
    }
  }

  /** The agents that a run for all has to visit. */
  List<Agent> agentsToVisit(long now) {
    List<Agent> due = new ArrayList<>();
    while (!waiting.isEmpty() && waiting.peek().time <= now) {
      Waiting next = waiting.poll();
      Agent agent = next.agent;
      if (next.time == agent.queuedFor) {
        agent.queuedFor = Long.MAX_VALUE;
        if (agent.idle != null && agent.idle.until() <= now) {
          due.add(agent);
        } else if (agent.idle != null) {
          await(agent, agent.idle.until());
        }
      }
    }
    boolean all =
        !sparing
            || seenMoment != changes.now()
            || seenEra != era
            || (anyCut && seenKeptBack != quotas.version());
    // Whoever takes part in no run meanwhile is looked at for everybody afterwards.
    changes.forgetBefore(seenMoment);
    seenMoment = changes.now();
    seenEra = era;
    seenKeptBack = quotas.version();
    if (all) {
      anyCut = false;
      return new ArrayList<>(agents.values());
    }
    due.removeIf(agent -> agents.get(agent.id) != agent);
    due.addAll(restless);
    return due;
  }

  void addAgent(AgentState state) {
    removeAgent(state.id());
    Agent agent = new Agent(state, numbers.isEmpty() ? agents.size() : numbers.pop());
    agents.put(agent.id, agent);
    scalars.change(agent.total, 1);
    if (!quotas.isEmpty()) {
      quotas.reserved(agent.total, 1);
      quotas.available(Resources.EMPTY, agent.available);
      quotas.grew();
    }
    state.used().forEach((framework, resources) -> hold(framework, agent, resources));
    wake(agent);
  }

  void updateAgent(AgentState state) {
    Agent agent = agents.get(state.id());
    if (agent == null) {
      addAgent(state);
      return;
    }
    Resources before = agent.total;
    Resources free = agent.available;
    agent.update(state);
    if (!agent.total.equals(before)) {
      scalars.change(before, -1);
      scalars.change(agent.total, 1);
      if (!quotas.isEmpty()) {
        quotas.reserved(before, -1);
        quotas.reserved(agent.total, 1);
        quotas.available(free, agent.available);
        quotas.grew();
        changedQuotas(before.reserved().keySet());
      }
    }
    wake(agent);
  }

  void removeAgent(String agentId) {
    Agent agent = agents.get(agentId);
    if (agent == null) {
      return;
    }
    for (var use : List.copyOf(agent.used.entrySet())) {
      release(use.getKey(), agentId, use.getValue());
    }
    for (Framework framework : frameworks.values()) {
      framework.members.values().forEach(member -> member.forgetRefusals(agent));
    }
    scalars.change(agent.total, -1);
    if (!quotas.isEmpty()) {
      quotas.reserved(agent.total, -1);
      quotas.available(agent.available, Resources.EMPTY);
      changedQuotas(agent.total.reserved().keySet());
    }
    rest(agent);
    agents.remove(agentId);
    numbers.push(agent.number);
  }

  void addFramework(FrameworkState state) {
    Set<Agent> holdings = expected.remove(state.id());
    Framework framework = new Framework(state, holdings == null ? Set.of() : holdings);
    frameworks.put(framework.id, framework);
    state.roles().forEach(role -> member(framework, role));
    for (Agent agent : framework.agents) {
      account(framework, agent, agent.used.get(framework.id), true);
    }
  }

  void updateFramework(FrameworkState state) {
    Framework framework = frameworks.get(state.id());
    if (framework == null) {
      addFramework(state);
      return;
    }
    if (framework.state.equals(state)) {
      return;
    }
    framework.update(state);
    state.roles().forEach(role -> member(framework, role));
    for (Member member : List.copyOf(framework.members.values())) {
      ownLeast -= member.minAllocatable == null ? 0 : 1;
      member.update();
      ownLeast += member.minAllocatable == null ? 0 : 1;
      changed(member);
      forgetIfIdle(member);
    }
  }

  void removeFramework(String frameworkId) {
    Framework framework = frameworks.get(frameworkId);
    if (framework == null) {
      return;
    }
    for (Agent agent : List.copyOf(framework.agents)) {
      release(frameworkId, agent.id, agent.used.get(frameworkId));
    }
    List.copyOf(framework.members.values()).forEach(this::forget);
    frameworks.remove(frameworkId);
    for (Agent agent : agents.values()) {
      if (agent.maintenance != null) {
        agent.maintenance.forget(frameworkId);
      }
    }
  }

  /** The framework under that role, which is tracked from now on. */
  private Member member(Framework framework, String name) {
    Member known = framework.members.get(name);
    if (known != null) {
      return known;
    }
    Role role =
        roles.computeIfAbsent(
            name, n -> new Role(n, roleSorter, sorter(options.frameworkSorter(), true)));
    role.quota = quotas.use(name);
    Member member = new Member(framework, role);
    role.members++;
    framework.members.put(name, member);
    ownLeast += member.minAllocatable == null ? 0 : 1;
    changed(member);
    return member;
  }

  /** A member may be offered more than before, if it wants anything. */
  void changed(Member member) {
    if (member.framework.wants(member.role.name)) {
      changes.of(member);
    }
  }

  /** Roles have less of their quotas, and so have those above them. */
  private void changedQuotas(Set<String> names) {
    for (String name : names) {
      for (int end = name.length(); end > 0; end = name.lastIndexOf('/', end - 1)) {
        Role role = roles.get(name.substring(0, end));
        if (role != null && role.quota != null) {
          changes.of(role);
        }
      }
    }
  }

  /** A framework stays under a role it left until it holds nothing there. */
  private void forgetIfIdle(Member member) {
    Framework framework = member.framework;
    if (framework.state.roles().contains(member.role.name)) {
      return;
    }
    for (Agent agent : framework.agents) {
      if (agent.used.get(framework.id).allocations().containsKey(member.role.name)) {
        return;
      }
    }
    forget(member);
  }

  private void forget(Member member) {
    member.forgetRefusals();
    member.gone = true;
    ownLeast -= member.minAllocatable == null ? 0 : 1;
    member.framework.members.remove(member.role.name);
    member.role.frameworks.remove(member.client);
    if (--member.role.members == 0) {
      roles.remove(member.role.name);
      roleSorter.remove(member.role.client);
    }
  }

  /** A framework has more, by a way other than an allocation cycle. */
  void allocate(String frameworkId, String agentId, Resources resources) {
    Agent agent = agents.get(agentId);
    if (agent != null && !resources.isEmpty()) {
      hold(frameworkId, agent, resources);
    }
  }

  private void hold(String frameworkId, Agent agent, Resources resources) {
    if (resources.isEmpty()) {
      return;
    }
    use(agent, frameworkId, resources);
    Framework framework = frameworks.get(frameworkId);
    if (framework == null) {
      expected.computeIfAbsent(frameworkId, id -> new HashSet<>()).add(agent);
    } else {
      framework.agents.add(agent);
      account(framework, agent, resources, true);
    }
  }

  private void use(Agent agent, String frameworkId, Resources resources) {
    Resources free = agent.available;
    agent.use(frameworkId, resources);
    used(resources, free, agent.available);
  }

  private void used(Resources resources, Resources freeBefore, Resources freeAfter) {
    if (!quotas.isEmpty()) {
      quotas.used(resources, 1);
      quotas.available(freeBefore, freeAfter);
    }
  }

  /**
   * A framework is offered part of what is available on an agent.
   *
   * @param offered the part
   * @param allocated the same, allocated to the member's role
   */
  void offer(Member member, Agent agent, Resources offered, Resources allocated) {
    Resources free = agent.available;
    agent.offer(member.framework.id, offered, allocated);
    used(allocated, free, agent.available);
    member.framework.agents.add(agent);
    account(member, scalars.delta(agent.id, allocated), true);
  }

  private void account(Framework framework, Agent agent, Resources resources, boolean served) {
    resources
        .allocations()
        .forEach(
            (role, part) ->
                account(member(framework, role), scalars.delta(agent.id, part), served));
  }

  private void account(Member member, Scalars.Delta delta, boolean served) {
    roleSorter.allocated(member.role.client, delta, served);
    member.role.frameworks.allocated(member.client, delta, served);
  }

  /** What the framework does not have is not released. */
  void release(String frameworkId, String agentId, Resources resources) {
    Agent agent = agents.get(agentId);
    if (agent == null) {
      return;
    }
    Resources held = agent.held(frameworkId, resources);
    if (held.isEmpty()) {
      return;
    }
    Resources free = agent.available;
    agent.release(frameworkId, held);
    if (!quotas.isEmpty()) {
      quotas.used(held, -1);
      quotas.available(free, agent.available);
      quotas.grew();
      changedQuotas(held.allocations().keySet());
    }
    wake(agent);
    Framework framework = frameworks.get(frameworkId);
    if (framework == null) {
      forgetExpectation(frameworkId, agent);
      return;
    }
    if (!agent.used.containsKey(frameworkId)) {
      framework.agents.remove(agent);
    }
    held.allocations()
        .forEach(
            (role, part) -> {
              Member member = framework.members.get(role);
              Scalars.Delta delta = scalars.delta(agent.id, part);
              roleSorter.released(member.role.client, delta);
              member.role.frameworks.released(member.client, delta);
              forgetIfIdle(member);
            });
  }

  private void forgetExpectation(String frameworkId, Agent agent) {
    Set<Agent> holdings = expected.get(frameworkId);
    if (holdings != null && !agent.used.containsKey(frameworkId)) {
      holdings.remove(agent);
      if (holdings.isEmpty()) {
        expected.remove(frameworkId);
      }
    }
  }

  /** Part of what a framework has became something else; that does not count as being served. */
  void convert(String frameworkId, String agentId, Resources from, Resources to) {
    Agent agent = agents.get(agentId);
    if (agent == null) {
      return;
    }
    Framework framework = frameworks.get(frameworkId);
    if (framework != null && !to.isEmpty()) {
      use(agent, frameworkId, to);
      framework.agents.add(agent);
      account(framework, agent, to, false);
    } else {
      hold(frameworkId, agent, to);
    }
    release(frameworkId, agentId, from);
  }

  /** The framework under that role; null when it is not tracked there. */
  Member find(String frameworkId, String role) {
    Framework framework = frameworks.get(frameworkId);
    return framework == null ? null : framework.members.get(role);
  }

  List<Agent> agentsOf(Iterable<String> ids) {
    List<Agent> found = new ArrayList<>();
    for (String id : ids) {
      Agent agent = agents.get(id);
      if (agent != null) {
        found.add(agent);
      }
    }
    return found;
  }
}
