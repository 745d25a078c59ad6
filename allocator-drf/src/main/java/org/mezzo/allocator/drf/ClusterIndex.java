package org.mezzo.allocator.drf;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.resources.Resources;

/** Agents, frameworks, roles and who has what, kept in step with the ledger (section 2). */
final class ClusterIndex {
  final AllocatorOptions options;
  final Map<String, Agent> agents = new LinkedHashMap<>();
  final Map<String, Framework> frameworks = new HashMap<>();
  final Map<String, Role> roles = new HashMap<>();
  final Scalars scalars;
  final Sorter<Role> roleSorter;
  private final RandomGenerator random;

  /** Where frameworks hold something that were not added yet. */
  private final Map<String, Set<Agent>> expected = new HashMap<>();

  private long version;

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

  /** Changes whenever somebody may be offered what could not be offered before. */
  long version() {
    return version;
  }

  /** Somebody may be offered what could not be offered before. */
  void changed() {
    version++;
  }

  void addAgent(AgentState state) {
    removeAgent(state.id());
    Agent agent = new Agent(state);
    agents.put(agent.id, agent);
    scalars.change(agent.total, 1);
    state.used().forEach((framework, resources) -> hold(framework, agent, resources));
  }

  void updateAgent(AgentState state) {
    Agent agent = agents.get(state.id());
    if (agent == null) {
      addAgent(state);
      return;
    }
    Resources before = agent.total;
    agent.update(state);
    if (!agent.total.equals(before)) {
      scalars.change(before, -1);
      scalars.change(agent.total, 1);
    }
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
    agents.remove(agentId);
  }

  void addFramework(FrameworkState state) {
    changed();
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
    changed();
    framework.update(state);
    state.roles().forEach(role -> member(framework, role));
    for (Member member : List.copyOf(framework.members.values())) {
      member.update();
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
    Member member = new Member(framework, role);
    role.members++;
    framework.members.put(name, member);
    return member;
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
    agent.use(frameworkId, resources);
    Framework framework = frameworks.get(frameworkId);
    if (framework == null) {
      expected.computeIfAbsent(frameworkId, id -> new HashSet<>()).add(agent);
    } else {
      framework.agents.add(agent);
      account(framework, agent, resources, true);
    }
  }

  /** A framework is offered what it has not had. */
  void offer(Member member, Agent agent, Resources allocated) {
    agent.use(member.framework.id, allocated);
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
    agent.release(frameworkId, held);
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
      agent.use(frameworkId, to);
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
