package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.mezzo.coordination.Registry;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Event;
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
            remove(
                later,
                agent,
                "the agent unregistered",
                last -> last.count("master/slave_removals/reason_unregistered"));
          }
        },
        (later, reason) -> {
          LOG.error("Agent {} cannot be removed: {}", agentId, reason);
          Standings.decided(later, agentId);
        });
  }

  /**
   * Removes an agent the registry has forgotten (rule 151).
   *
   * @param then follows when nothing of it is left; of one with many tasks in a later turn
   */
  static void remove(Transition tx, Agent agent, String cause, Step then) {
    String hostname = agent.info().getHostname();
    LOG.info("Agent {} ({}) is removed: {}", agent.id(), hostname, cause);
    leave(
        tx,
        agent.id(),
        (now, task) ->
            Holdings.end(
                now,
                task,
                TaskState.TASK_LOST,
                TaskStatus.Reason.REASON_AGENT_REMOVED,
                "Agent " + hostname + " removed: " + cause),
        Optional.empty(),
        last -> {
          last.become(last.state().withRemovedAgent(agent.id()));
          failure(last, agent.id());
          last.count("master/slave_removals");
          last.happened(new Happening.AgentRemoved(agent));
          last.effect(new Effect.AgentLost(agent.info()));
          then.apply(last);
        });
  }

  /**
   * Takes an agent that the registry has forgotten out of the registered ones. One with many tasks
   * leaves in several turns, in which nothing of it is offered and nothing else decided about it.
   *
   * @param end how each of its tasks ends
   * @param operations what frameworks are told of operations that are not over; empty: nothing
   * @param then follows when nothing of it is left
   */
  static void leave(
      Transition tx,
      String agentId,
      BiConsumer<Transition, Task> end,
      Optional<OperationState> operations,
      Step then) {
    List<MasterState.TaskKey> tasks = new ArrayList<>();
    tx.agent(agentId)
        .tasks()
        .forEach(
            (frameworkId, ids) ->
                ids.forEach(id -> tasks.add(new MasterState.TaskKey(frameworkId, id))));
    tx.become(tx.state().undecided(agentId, true));
    if (tasks.size() > Turns.PORTION) {
      tx.put(tx.agent(agentId).connected(false));
      AllocatorFeed.tellUpdated(tx, agentId);
    }
    Turns.each(
        tx,
        tasks,
        (now, key) -> {
          Framework framework = now.framework(key.frameworkId());
          Task task = framework == null ? null : framework.tasks().get(key.taskId());
          if (task != null && task.agentId().equals(agentId)) {
            end.accept(now, task);
          }
        },
        last -> {
          leave(last, last.agent(agentId), operations);
          last.become(last.state().undecided(agentId, false));
          then.apply(last);
        });
  }

  /** Takes an agent out of the registered ones with what its tasks have left. */
  private static void leave(Transition tx, Agent agent, Optional<OperationState> operations) {
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

  /** Tells every framework that an agent is lost; many of them in several turns of the loop. */
  static void failure(Transition tx, String agentId) {
    Event event =
        Event.newBuilder()
            .setType(Event.Type.FAILURE)
            .setFailure(
                Event.Failure.newBuilder().setAgentId(AgentID.newBuilder().setValue(agentId)))
            .build();
    Turns.each(
        tx,
        List.copyOf(tx.state().frameworks().keySet()),
        (now, frameworkId) -> {
          Framework framework = now.framework(frameworkId);
          if (framework != null) {
            now.send(framework, event);
          }
        },
        Turns::end);
  }
}
