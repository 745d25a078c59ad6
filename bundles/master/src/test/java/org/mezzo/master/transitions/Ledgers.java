package org.mezzo.master.transitions;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Ledger;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.resources.Resources;

/**
 * What must hold of every state: free, offered and allocated are the total of each agent, and every
 * amount has its offer, task or executor.
 */
final class Ledgers {
  private Ledgers() {}

  /**
   * Asserts it.
   *
   * @param waiting whether something is claimed for what waits for an answer
   */
  static void assertBalanced(MasterState state, boolean waiting) {
    state.agents().values().forEach(agent -> agent(state, agent, waiting));
    indexes(state);
    Sums.assertKept(state);
    state.offers().values().forEach(offer -> offer(state, offer));
    Map<String, String> pids = new HashMap<>();
    state.agents().values().forEach(agent -> pids.put(agent.pid(), agent.id()));
    assertThat(state.agentsByPid()).isEqualTo(pids);
  }

  private static void agent(MasterState state, Agent agent, boolean waiting) {
    Account account = state.account(agent.id());
    Resources used =
        account.totalAllocated().plus(account.totalOffered()).unallocated().nonShared();
    if (account.total().nonShared().contains(used)) {
      assertThat(account.free().nonShared().plus(used))
          .as("free, offered and allocated of agent %s", agent.id())
          .isEqualTo(account.total().nonShared());
    }
    Map<String, Resources> held = new HashMap<>();
    Map<String, Set<String>> tasks = new HashMap<>();
    Map<String, Map<String, Executor>> executors = new HashMap<>();
    for (Framework framework : state.frameworks().values()) {
      for (Task task : framework.tasks().values()) {
        if (task.agentId().equals(agent.id())) {
          tasks.computeIfAbsent(framework.id(), unused -> new HashSet<>()).add(task.id());
          if (!task.released()) {
            held.merge(framework.id(), task.resources(), Resources::plus);
          }
        }
      }
      if (!framework.executorsOn(agent.id()).isEmpty()) {
        executors.put(framework.id(), new HashMap<>(framework.executorsOn(agent.id())));
        for (Executor executor : framework.executorsOn(agent.id()).values()) {
          held.merge(framework.id(), executor.resources(), Resources::plus);
        }
      }
    }
    held.values().removeIf(Resources::isEmpty);
    if (state.pendingTasks().isEmpty() && !waiting) {
      assertThat(account.allocated()).as("allocated on agent %s", agent.id()).isEqualTo(held);
    }
    assertThat(agent.tasks()).as("tasks on agent %s", agent.id()).isEqualTo(tasks);
    assertThat(agent.executors()).as("executors on agent %s", agent.id()).isEqualTo(executors);
    Map<String, Resources> offered = new HashMap<>();
    Set<String> offers = new HashSet<>();
    for (Offer offer : state.offers().values()) {
      if (offer.agentId().equals(agent.id())) {
        offers.add(offer.id());
        offered.merge(offer.frameworkId(), offer.resources(), Resources::plus);
      }
    }
    assertThat(account.offers()).as("offers of agent %s", agent.id()).isEqualTo(offers);
    assertThat(account.offered()).as("offered of agent %s", agent.id()).isEqualTo(offered);
  }

  /** Whoever looks by framework or role finds what stands with the agents. */
  private static void indexes(MasterState state) {
    Map<String, Set<String>> holders = new HashMap<>();
    state
        .ledger()
        .accounts()
        .forEach(
            (agentId, account) ->
                account
                    .allocated()
                    .keySet()
                    .forEach(
                        id -> holders.computeIfAbsent(id, unused -> new HashSet<>()).add(agentId)));
    for (String frameworkId : state.frameworks().keySet()) {
      assertThat(state.ledger().agentsOf(frameworkId))
          .as("agents of %s", frameworkId)
          .isEqualTo(holders.getOrDefault(frameworkId, Set.of()));
      assertThat(state.ledger().offersTo(frameworkId))
          .as("offers to %s", frameworkId)
          .isEqualTo(ids(state, offer -> offer.frameworkId().equals(frameworkId)));
      for (String role : state.frameworks().get(frameworkId).subscription().roles()) {
        assertThat(state.ledger().offersFor(role))
            .as("offers for role %s", role)
            .isEqualTo(ids(state, offer -> offer.role().equals(role)));
      }
    }
    assertThat(state.frameworks().keySet()).containsAll(holders.keySet());
    assertThat(state.ledger().accounts().keySet()).isEqualTo(state.agents().keySet());
  }

  private static Set<String> ids(MasterState state, Predicate<Offer> which) {
    return state.offers().values().stream().filter(which).map(Offer::id).collect(toSet());
  }

  /**
   * An allocator that knew the state before a transition knows the one after it by what it was
   * told, and the ledger has come there by the changes it tells of.
   */
  static void assertTold(MasterState before, Transition tx) {
    Ledger replayed = before.ledger();
    for (LedgerChange change : tx.changes()) {
      replayed = change.apply(replayed);
    }
    assertThat(replayed).isEqualTo(tx.state().ledger());
    Mirror mirror = new Mirror();
    mirror.start(null, Holdings.ledger(before, tx.now(), Optional.empty()));
    for (LedgerChange change : tx.changes()) {
      if (change instanceof LedgerChange.Offered offered) {
        Offer offer = offered.offer();
        mirror.allocated(offer.frameworkId(), offer.agentId(), offer.resources());
      }
    }
    for (Effect effect : tx.effects()) {
      if (effect instanceof Effect.Tell tell) {
        tell.change().accept(mirror);
      }
    }
    Mirror fresh = new Mirror();
    fresh.start(null, Holdings.ledger(tx.state(), tx.now(), Optional.empty()));
    assertThat(mirror).usingRecursiveComparison().isEqualTo(fresh);
  }

  private static void offer(MasterState state, Offer offer) {
    assertThat(state.frameworks()).as("framework of offer").containsKey(offer.frameworkId());
    assertThat(state.agents()).as("agent of offer").containsKey(offer.agentId());
  }
}
