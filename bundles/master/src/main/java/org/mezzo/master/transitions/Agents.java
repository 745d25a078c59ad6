package org.mezzo.master.transitions;

import org.mezzo.link.messages.ExecutorExited;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.ledger.Provision;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

/** What registered agents tell about themselves. */
public final class Agents {
  private Agents() {}

  /** An executor ended (rule 49). */
  public static void executorExited(Transition tx, String agentId, ExecutorExited exited) {
    tx.count("master/messages_exited_executor");
    Framework framework = tx.framework(exited.getFrameworkId().getValue());
    Agent agent = tx.agent(agentId);
    if (framework == null || agent == null) {
      return;
    }
    ExecutorID id = exited.getExecutorId();
    Executor executor = agent.executorsOf(framework.id()).get(id.getValue());
    if (executor != null) {
      Holdings.remove(tx, executor);
    }
    if (!exited.getGenerated()) {
      tx.send(
          framework,
          Event.newBuilder()
              .setType(Event.Type.FAILURE)
              .setFailure(
                  Event.Failure.newBuilder()
                      .setAgentId(agent.info().getId())
                      .setExecutorId(id)
                      .setStatus(exited.hasStatus() ? exited.getStatus() : -1))
              .build());
    }
  }

  /** The agent's oversubscribed total changed (rules 316 and 317). */
  public static void update(
      Transition tx, String agentId, UpdateAgent message, Resources oversubscribed) {
    Agent agent = tx.agent(agentId);
    if (agent == null) {
      return;
    }
    Account account = tx.state().account(agentId);
    for (String id : account.offers()) {
      Offer offer = tx.state().offers().get(id);
      if (offer.resources().hasRevocable()) {
        Offers.rescind(tx, offer);
      }
    }
    Provision before = account.providers().get(Account.AGENT);
    tx.post(
        new LedgerChange.Provided(
            agentId,
            Account.AGENT,
            new Provision(
                before.total().nonRevocable().plus(oversubscribed.revocable()),
                message.hasResourceVersionUuid()
                    ? message.getResourceVersionUuid()
                    : before.version())));
    tx.allocate(agentId);
  }

  /** Takes back all offers of an agent, and all inverse offers about it. */
  static void rescindOffers(Transition tx, Agent agent) {
    for (String id : tx.state().account(agent.id()).offers()) {
      Offers.rescind(tx, tx.state().offers().get(id));
    }
    Reclaiming.rescind(tx, agent.id());
  }
}
