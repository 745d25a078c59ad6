package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Ledger;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Offer;
import org.mezzo.master.state.Task;
import org.mezzo.resources.Resources;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * What must hold of every state: free, offered and allocated are the total of each agent, both
 * sides of the ledger say the same, and every amount has its offer, task or executor.
 */
final class Ledgers {
  private Ledgers() {}

  static void assertBalanced(MasterState state) {
    state.agents().values().forEach(agent -> agent(state, agent));
    state.frameworks().values().forEach(framework -> framework(state, framework));
    state.offers().values().forEach(offer -> offer(state, offer));
    Map<String, String> pids = new HashMap<>();
    state.agents().values().forEach(agent -> pids.put(agent.pid(), agent.id()));
    assertThat(state.agentsByPid()).isEqualTo(pids);
  }

  private static void agent(MasterState state, Agent agent) {
    Resources used = agent.totalAllocated().plus(agent.totalOffered()).unallocated().nonShared();
    if (agent.total().nonShared().contains(used)) {
      assertThat(agent.free().nonShared().plus(used))
          .as("free, offered and allocated of agent %s", agent.id())
          .isEqualTo(agent.total().nonShared());
    }
    PMap<String, Resources> allocated = HashTreePMap.empty();
    PMap<String, Resources> offered = HashTreePMap.empty();
    Map<String, Set<String>> tasks = new HashMap<>();
    Map<String, Map<String, Executor>> executors = new HashMap<>();
    for (Framework framework : state.frameworks().values()) {
      allocated =
          Ledger.add(
              allocated,
              framework.id(),
              framework.allocated().getOrDefault(agent.id(), Resources.EMPTY));
      offered =
          Ledger.add(
              offered,
              framework.id(),
              framework.offered().getOrDefault(agent.id(), Resources.EMPTY));
      for (Task task : framework.tasks().values()) {
        if (task.agentId().equals(agent.id())) {
          tasks.computeIfAbsent(framework.id(), unused -> new HashSet<>()).add(task.id());
        }
      }
      if (!framework.executorsOn(agent.id()).isEmpty()) {
        executors.put(framework.id(), new HashMap<>(framework.executorsOn(agent.id())));
      }
    }
    assertThat(agent.allocated()).as("allocated on agent %s", agent.id()).isEqualTo(allocated);
    assertThat(agent.offered()).as("offered of agent %s", agent.id()).isEqualTo(offered);
    assertThat(agent.tasks()).as("tasks on agent %s", agent.id()).isEqualTo(tasks);
    assertThat(agent.executors()).as("executors on agent %s", agent.id()).isEqualTo(executors);
    Set<String> offers = new HashSet<>();
    for (Offer offer : state.offers().values()) {
      if (offer.agentId().equals(agent.id())) {
        offers.add(offer.id());
      }
    }
    assertThat(agent.offers()).as("offers of agent %s", agent.id()).isEqualTo(offers);
  }

  private static void framework(MasterState state, Framework framework) {
    PMap<String, Resources> offered = HashTreePMap.empty();
    Set<String> offers = new HashSet<>();
    for (Offer offer : state.offers().values()) {
      if (offer.frameworkId().equals(framework.id())) {
        offers.add(offer.id());
        offered = Ledger.add(offered, offer.agentId(), offer.resources());
      }
    }
    assertThat(framework.offers()).as("offers to %s", framework.id()).isEqualTo(offers);
    assertThat(framework.offered()).as("offered to %s", framework.id()).isEqualTo(offered);
    PMap<String, Resources> held = HashTreePMap.empty();
    for (Task task : framework.tasks().values()) {
      if (!task.released()) {
        held = Ledger.add(held, task.agentId(), task.resources());
      }
    }
    for (Map<String, Executor> there : framework.executors().values()) {
      for (Executor executor : there.values()) {
        held = Ledger.add(held, executor.agentId(), executor.resources());
      }
    }
    boolean launching =
        state.pendingTasks().keySet().stream()
            .anyMatch(key -> key.frameworkId().equals(framework.id()));
    if (!launching) {
      assertThat(framework.allocated()).as("allocated to %s", framework.id()).isEqualTo(held);
    }
    assertThat(state.agents().keySet())
        .as("agents on which %s holds something", framework.id())
        .containsAll(framework.allocated().keySet())
        .containsAll(framework.executors().keySet());
  }

  private static void offer(MasterState state, Offer offer) {
    assertThat(state.frameworks()).as("framework of offer").containsKey(offer.frameworkId());
    assertThat(state.agents()).as("agent of offer").containsKey(offer.agentId());
  }
}
