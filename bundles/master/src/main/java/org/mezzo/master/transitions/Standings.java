package org.mezzo.master.transitions;

import java.util.List;
import java.util.Optional;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.DrainState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What operators want of agents (rules 253 to 256): kept by the registry first, and the same
 * whether the agent is registered, recovered or unreachable.
 */
public final class Standings {
  private static final Logger LOG = LoggerFactory.getLogger(Standings.class);

  private Standings() {}

  /** DEACTIVATE_AGENT: nothing of the agent is offered any more (rule 253). */
  public static void deactivate(Transition tx, String agentId, Outcome outcome) {
    if (!known(tx.state(), agentId)) {
      outcome.refused(tx, 400, "Unknown agent");
      return;
    }
    Standing now = tx.state().standing(agentId);
    if (now.deactivated()) {
      outcome.done(tx);
      return;
    }
    LOG.info("Agent {} is to be deactivated", agentId);
    change(tx, agentId, new Standing(true, now.draining()), outcome::done, outcome);
  }

  /** REACTIVATE_AGENT: undoes a deactivation, and a drain that is over (rule 254). */
  public static void reactivate(Transition tx, String agentId, Outcome outcome) {
    Standing now = tx.state().standing(agentId);
    if (now.open()) {
      outcome.refused(tx, 400, "Agent is not deactivated");
      return;
    }
    if (now.draining().filter(it -> it.info().getState() == DrainState.DRAINING).isPresent()) {
      outcome.refused(tx, 400, "Agent is still in the DRAINING state");
      return;
    }
    LOG.info("Agent {} is to be reactivated", agentId);
    change(
        tx,
        agentId,
        Standing.OPEN,
        later -> {
          if (later.agent(agentId) != null) {
            outcome.done(later);
          } else {
            outcome.refused(
                later,
                409,
                "Agent is not registered at this moment; it will be active when it returns");
          }
        },
        outcome);
  }

  /**
   * An agent has to have something before anything of it is offered, or has it now. Nobody wants
   * that of it in particular, so the registry does not keep it.
   *
   * @param what for people; empty when it has all
   */
  public static void await(Transition tx, String agentId, Optional<String> what) {
    Agent agent = tx.agent(agentId);
    if (agent == null || agent.awaits().equals(what)) {
      return;
    }
    tx.put(agent.awaiting(what));
    if (agent.active() == tx.agent(agentId).active()) {
      return;
    }
    AllocatorFeed.tellUpdated(tx, agentId);
    if (what.isEmpty()) {
      tx.allocate(agentId);
    } else {
      Offers.rescindInTurns(tx, List.copyOf(tx.state().account(agentId).offers()));
    }
  }

  /** Whether operators can want something of an agent. */
  static boolean known(MasterState state, String agentId) {
    return state.agents().containsKey(agentId)
        || state.recoveredAgents().containsKey(agentId)
        || state.unreachableAgents().containsKey(agentId);
  }

  /**
   * Has the registry keep something else of a known agent, and then acts by it.
   *
   * @param then run when it is in force; tells the outcome
   * @param outcome told when it cannot come to that
   */
  static void change(Transition tx, String agentId, Standing next, Step then, Outcome outcome) {
    if (tx.state().undecided().contains(agentId)) {
      outcome.refused(
          tx,
          409,
          "Agent '"
              + agentId
              + "' is being registered, marked or changed at this moment; try again");
      return;
    }
    tx.become(tx.state().undecided(agentId, true));
    tx.store(
        List.of(kept(tx.state(), agentId, next)),
        later -> {
          apply(later, agentId, next);
          decided(later, agentId);
          then.apply(later);
        },
        (later, reason) -> {
          LOG.error("What is wanted of agent {} cannot be stored: {}", agentId, reason);
          decided(later, agentId);
          outcome.notStored(later, reason);
        });
  }

  /** Whatever had to wait while a write about an agent was under way may go on. */
  static void decided(Transition tx, String agentId) {
    tx.become(tx.state().undecided(agentId, false));
    Draining.look(tx, agentId);
    Maintenances.look(tx, agentId);
  }

  private static Registry.Change kept(MasterState state, String agentId, Standing next) {
    UnreachableAgent unreachable = state.unreachableAgents().get(agentId);
    if (unreachable != null) {
      return new Registry.Change(
          AgentRegistry.UNREACHABLE + agentId,
          AgentRegistry.bytes(unreachable.info(), unreachable.since(), next));
    }
    Agent agent = state.agents().get(agentId);
    return new Registry.Change(
        AgentRegistry.ADMITTED + agentId,
        AgentRegistry.bytes(
            agent != null ? agent.info() : state.recoveredAgents().get(agentId).info(), next));
  }

  /** The agent is where it was: nothing else changes it while the write is under way. */
  private static void apply(Transition tx, String agentId, Standing next) {
    MasterState state = tx.state();
    Optional<Agent> agent = state.agent(agentId);
    RecoveredAgent recovered = state.recoveredAgents().get(agentId);
    UnreachableAgent unreachable = state.unreachableAgents().get(agentId);
    if (agent.isPresent()) {
      tx.put(agent.get().with(next));
      AllocatorFeed.tellUpdated(tx, agentId);
      if (next.open()) {
        tx.allocate(agentId);
      } else {
        Offers.rescindInTurns(tx, List.copyOf(state.account(agentId).offers()));
      }
    } else if (recovered != null) {
      tx.become(
          state.withRecoveredAgents(
              state
                  .recoveredAgents()
                  .plus(agentId, new RecoveredAgent(agentId, recovered.info(), next))));
    } else if (unreachable != null) {
      tx.become(
          state.withUnreachableAgents(
              state
                  .unreachableAgents()
                  .plus(
                      agentId,
                      new UnreachableAgent(
                          agentId, unreachable.info(), unreachable.since(), next))));
    }
  }
}
