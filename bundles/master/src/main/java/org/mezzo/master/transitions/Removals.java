package org.mezzo.master.transitions;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.coordination.Registry;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Event;
import org.pcollections.PSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How agents leave, with all that is left on them (rule 151). */
public final class Removals {
  private static final Logger LOG = LoggerFactory.getLogger(Removals.class);

  private Removals() {}

  /** The agent says good-bye (rule 151). */
  public static void unregister(Transition tx, String agentId) {
    tx.count("master/messages_unregister_slave");
    if (tx.agent(agentId) == null || tx.state().undecided().contains(agentId)) {
      return;
    }
    tx.become(tx.state().undecided(agentId, true));
    tx.store(
        List.of(new Registry.Change(AgentRegistry.ADMITTED + agentId, null)),
        later -> {
          later.become(later.state().undecided(agentId, false));
          Agent agent = later.agent(agentId);
          if (agent != null) {
            remove(later, agent, "the agent unregistered");
            later.count("master/slave_removals/reason_unregistered");
          }
        },
        (later, reason) -> {
          LOG.error("Agent {} cannot be removed: {}", agentId, reason);
          Standings.decided(later, agentId);
        });
  }

  /** Removes an agent the registry has forgotten (rule 151). */
  static void remove(Transition tx, Agent agent, String cause) {
    String hostname = agent.info().getHostname();
    LOG.info("Agent {} ({}) is removed: {}", agent.id(), hostname, cause);
    for (Map.Entry<String, PSet<String>> entry : agent.tasks().entrySet()) {
      for (String taskId : entry.getValue()) {
        Holdings.end(
            tx,
            tx.framework(entry.getKey()).tasks().get(taskId),
            TaskState.TASK_LOST,
            TaskStatus.Reason.REASON_AGENT_REMOVED,
            "Agent " + hostname + " removed: " + cause);
      }
    }
    leave(tx, tx.agent(agent.id()), Optional.empty());
    tx.become(tx.state().withRemovedAgent(agent.id()));
    failure(tx, agent.id());
    tx.count("master/slave_removals");
    tx.happened(new Happening.AgentRemoved(agent));
    tx.effect(new Effect.AgentLost(agent.info()));
  }

  /**
   * Takes an agent out of the registered ones with all that is left on it.
   *
   * @param operations what frameworks are told of operations that are not over; empty: nothing
   */
  static void leave(Transition tx, Agent agent, Optional<OperationState> operations) {
    AgentOperations.agentLeft(tx, agent.id(), operations);
    Agents.rescindOffers(tx, agent);
    Reclaiming.forgetAgent(tx, agent.id());
    for (var executors : List.copyOf(tx.agent(agent.id()).executors().values())) {
      for (Executor executor : List.copyOf(executors.values())) {
        Holdings.remove(tx, executor);
      }
    }
    tx.become(tx.state().with(tx.state().filters().withoutAgent(agent.id())));
    tx.become(tx.state().without(tx.agent(agent.id())));
    tx.effect(new Effect.EndLink(agent.id()));
    tx.post(new LedgerChange.Closed(agent.id()));
  }

  /** Tells every framework that an agent is lost. */
  static void failure(Transition tx, String agentId) {
    Event event =
        Event.newBuilder()
            .setType(Event.Type.FAILURE)
            .setFailure(
                Event.Failure.newBuilder().setAgentId(AgentID.newBuilder().setValue(agentId)))
            .build();
    for (Framework framework : tx.state().frameworks().values()) {
      tx.send(framework, event);
    }
  }
}
