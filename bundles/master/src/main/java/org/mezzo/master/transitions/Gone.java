package org.mezzo.master.transitions;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Shutdown;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Agents that operators know to be lost for ever (rules 152, 153). */
public final class Gone {
  private static final Logger LOG = LoggerFactory.getLogger(Gone.class);

  /** What an agent that is gone is told before it is sent away. */
  static final String MESSAGE = "Agent has been marked gone";

  private Gone() {}

  /** MARK_AGENT_GONE (rule 152). */
  public static void mark(Transition tx, String agentId, Outcome outcome) {
    if (tx.state().goneAgents().containsKey(agentId)) {
      outcome.done(tx);
      return;
    }
    if (tx.state().undecided().contains(agentId)) {
      outcome.refused(
          tx,
          503,
          "Agent '"
              + agentId
              + "' is being registered, removed or marked at this moment; try again");
      return;
    }
    if (!Standings.known(tx.state(), agentId)) {
      outcome.refused(tx, 404, "Agent '" + agentId + "' not found");
      return;
    }
    LOG.info("Marking agent {} gone", agentId);
    Instant since = tx.now();
    boolean unreachable = tx.state().unreachableAgents().containsKey(agentId);
    tx.become(tx.state().undecided(agentId, true));
    tx.store(
        List.of(
            new Registry.Change(
                (unreachable ? AgentRegistry.UNREACHABLE : AgentRegistry.ADMITTED) + agentId, null),
            new Registry.Change(AgentRegistry.GONE + agentId, AgentRegistry.goneBytes(since))),
        later -> gone(later, agentId, since, outcome::done),
        (later, reason) -> {
          LOG.error("Agent {} cannot be marked gone: {}", agentId, reason);
          Standings.decided(later, agentId);
          outcome.notStored(later, reason);
        });
  }

  private static void gone(Transition tx, String agentId, Instant since, Step then) {
    Agent agent = tx.agent(agentId);
    if (agent == null) {
      forget(tx, agentId, since);
      then.apply(tx);
      return;
    }
    tx.send(agent, MasterEvent.newBuilder().setShutdown(Shutdown.newBuilder().setMessage(MESSAGE)));
    Removals.leave(
        tx,
        agentId,
        Gone::end,
        Optional.of(OperationState.OPERATION_GONE_BY_OPERATOR),
        last -> {
          Removals.failure(last, agentId);
          last.count("master/slave_removals");
          last.effect(new Effect.AgentLost(agent.info()));
          forget(last, agentId, since);
          then.apply(last);
        });
  }

  private static void forget(Transition tx, String agentId, Instant since) {
    forgetUnreachableTasks(tx, agentId);
    tx.become(
        tx.state()
            .undecided(agentId, false)
            .withRecoveredAgents(tx.state().recoveredAgents().minus(agentId))
            .withUnreachableAgents(tx.state().unreachableAgents().minus(agentId))
            .withGoneAgents(tx.state().goneAgents().plus(agentId, since)));
  }

  private static void end(Transition tx, Task task) {
    boolean aware = tx.framework(task.frameworkId()).partitionAware();
    Holdings.end(
        tx,
        task,
        aware ? TaskState.TASK_GONE_BY_OPERATOR : TaskState.TASK_LOST,
        aware
            ? TaskStatus.Reason.REASON_AGENT_REMOVED_BY_OPERATOR
            : TaskStatus.Reason.REASON_AGENT_REMOVED,
        MESSAGE);
  }

  /** Frameworks learn what became of them when they ask (rule 124). */
  private static void forgetUnreachableTasks(Transition tx, String agentId) {
    for (Framework framework : tx.state().frameworks().values()) {
      var left = framework.unreachableTasks();
      for (Task task : framework.unreachableTasks().values()) {
        if (task.agentId().equals(agentId)) {
          left = left.minus(task.id());
        }
      }
      if (left != framework.unreachableTasks()) {
        tx.put(framework.withUnreachableTasks(left));
      }
    }
  }
}
