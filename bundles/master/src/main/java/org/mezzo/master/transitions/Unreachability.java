package org.mezzo.master.transitions;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TimeInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Agents that do not answer (rules 140 and 144). */
public final class Unreachability {
  private static final Logger LOG = LoggerFactory.getLogger(Unreachability.class);

  private Unreachability() {}

  /**
   * An agent does not answer (rules 140 and 144): registry first, then everything else. To be run
   * in the agent's turn ({@link Effect.MarkUnreachable}).
   */
  public static void mark(Transition tx, String agentId, String cause) {
    Agent agent = tx.agent(agentId);
    RecoveredAgent recovered = tx.state().recoveredAgents().get(agentId);
    if ((agent == null && recovered == null) || tx.state().undecided().contains(agentId)) {
      return;
    }
    AgentInfo info = agent != null ? agent.info() : recovered.info();
    Instant since = tx.now();
    LOG.warn("Marking agent {} ({}) unreachable: {}", agentId, info.getHostname(), cause);
    tx.become(tx.state().undecided(agentId, true));
    tx.store(
        List.of(
            new Registry.Change(AgentRegistry.ADMITTED + agentId, null),
            new Registry.Change(
                AgentRegistry.UNREACHABLE + agentId,
                AgentRegistry.bytes(info, since, tx.state().standing(agentId)))),
        later -> {
          later.become(later.state().undecided(agentId, false));
          unreachable(later, agentId, info, since, cause);
        },
        (later, reason) -> {
          LOG.error("Agent {} cannot be marked unreachable: {}", agentId, reason);
          Standings.decided(later, agentId);
        });
  }

  private static void unreachable(
      Transition tx, String agentId, AgentInfo info, Instant since, String cause) {
    Agent agent = tx.agent(agentId);
    Standing standing = tx.state().standing(agentId);
    UnreachableAgent next = new UnreachableAgent(agentId, info, since, standing);
    if (agent == null) {
      tx.count("master/recovery_slave_removals");
      lost(tx, next);
      return;
    }
    Removals.leave(
        tx,
        agentId,
        (now, task) -> unreachable(now, task, since, cause, info),
        Optional.of(OperationState.OPERATION_UNREACHABLE),
        last -> {
          last.count("master/slave_unreachable_completed");
          last.count("master/slave_removals");
          last.count("master/slave_removals/reason_unhealthy");
          lost(last, next);
        });
  }

  private static void lost(Transition tx, UnreachableAgent agent) {
    tx.become(
        tx.state()
            .withRecoveredAgents(tx.state().recoveredAgents().minus(agent.id()))
            .withUnreachableAgents(tx.state().unreachableAgents().plus(agent.id(), agent)));
    Removals.failure(tx, agent.id());
    tx.effect(new Effect.AgentLost(agent.info()));
  }

  private static void unreachable(
      Transition tx, Task task, Instant since, String cause, AgentInfo info) {
    Framework framework = tx.framework(task.frameworkId());
    if (task.terminal()) {
      Holdings.complete(tx, task);
      return;
    }
    TaskState state = TaskStates.shown(TaskState.TASK_UNREACHABLE, framework.partitionAware());
    TaskStatus status =
        Statuses.make(
                tx.now(),
                task.id(),
                task.agentId(),
                state,
                TaskStatus.Reason.REASON_AGENT_REMOVED,
                "Agent " + info.getHostname() + " is unreachable: " + cause)
            .setUnreachableTime(TimeInfo.newBuilder().setNanoseconds(AgentRegistry.nanos(since)))
            .build();
    Statuses.send(tx, framework, status);
    Task next = Holdings.release(tx, Statuses.record(tx, task, status, state));
    framework = tx.framework(task.frameworkId());
    tx.put(framework.unreachable(next, tx.state().limits().unreachableTasksPerFramework()));
    tx.put(tx.agent(task.agentId()).without(next));
    tx.count("master/tasks_unreachable_total");
  }
}
