package org.mezzo.master.transitions;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Agents whose link is gone and that may come back (rules 142 and 143). */
public final class Disconnections {
  private static final Logger LOG = LoggerFactory.getLogger(Disconnections.class);

  private Disconnections() {}

  /** An agent's link is gone (rules 142 and 143). */
  public static void disconnected(Transition tx, String agentId) {
    Agent agent = tx.agent(agentId);
    if (agent == null || !agent.connected()) {
      return;
    }
    LOG.info("Agent {} ({}) is disconnected", agentId, agent.info().getHostname());
    Agents.rescindOffers(tx, agent);
    tx.put(tx.agent(agentId).connected(false));
    for (String frameworkId : List.copyOf(agent.tasks().keySet())) {
      forgetUncheckpointed(tx, agentId, frameworkId);
    }
    for (String frameworkId : List.copyOf(tx.agent(agentId).executors().keySet())) {
      forgetUncheckpointed(tx, agentId, frameworkId);
    }
    AllocatorFeed.tellUpdated(tx, agentId);
    Instant since = agent.reregistered().orElse(agent.registered());
    Duration timeout = tx.settings().agents().reregisterTimeout();
    tx.after(
        "reregistration of agent " + agentId,
        timeout,
        later -> reregistrationExpired(later, agentId, since));
  }

  private static void forgetUncheckpointed(Transition tx, String agentId, String frameworkId) {
    Framework framework = tx.framework(frameworkId);
    if (framework.info().getCheckpoint()) {
      return;
    }
    for (String taskId : List.copyOf(tx.agent(agentId).tasksOf(frameworkId))) {
      Holdings.end(
          tx,
          tx.framework(frameworkId).tasks().get(taskId),
          TaskState.TASK_LOST,
          TaskStatus.Reason.REASON_AGENT_DISCONNECTED,
          "Agent disconnected");
    }
    for (Executor executor : List.copyOf(tx.agent(agentId).executorsOf(frameworkId).values())) {
      Holdings.remove(tx, executor);
    }
  }

  private static void reregistrationExpired(Transition tx, String agentId, Instant since) {
    if (away(tx, agentId, since)) {
      tx.effect(
          new Effect.MarkUnreachable(
              agentId,
              later -> {
                if (away(later, agentId, since)) {
                  Unreachability.mark(
                      later, agentId, "agent did not reregister within the reregister timeout");
                }
              }));
    }
  }

  private static boolean away(Transition tx, String agentId, Instant since) {
    Agent agent = tx.agent(agentId);
    return agent != null
        && !agent.connected()
        && agent.reregistered().orElse(agent.registered()).equals(since);
  }
}
