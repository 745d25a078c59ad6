package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.Reregistered;
import org.mezzo.link.messages.Shutdown;
import org.mezzo.link.messages.UpdateFramework;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.ledger.Provision;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Identifiers;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.AgentInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registrations of agents that have an id (rules 136, 145 to 149). */
public final class Readmissions {
  private static final Logger LOG = LoggerFactory.getLogger(Readmissions.class);

  private Readmissions() {}

  /** A registration of an agent that has an id (rules 136, 145 to 149). */
  public static void reregister(Transition tx, Registration registration, Reregister message) {
    String id = registration.info().getId().getValue();
    tx.count("master/messages_reregister_slave");
    MasterState state = tx.state();
    if (state.undecided().contains(id)) {
      return;
    }
    Optional<String> badId = Identifiers.problem(id);
    if (badId.isPresent()) {
      Admissions.refuse(tx, registration, "Agent id is not valid: " + badId.get());
      return;
    }
    if (state.goneAgents().containsKey(id)) {
      shutdown(tx, registration.link(), id, Gone.MESSAGE);
      return;
    }
    if (Admissions.machineDown(tx, registration) || !Admissions.acceptable(tx, registration)) {
      return;
    }
    Agent known = state.agents().get(id);
    if (known != null
        && (!known.address().getIp().equals(registration.address().getIp())
            || !known.info().getHostname().equals(registration.info().getHostname()))) {
      shutdown(
          tx,
          registration.link(),
          id,
          "Agent attempted to reregister with different IP / hostname");
      return;
    }
    RecoveredAgent recovered = state.recoveredAgents().get(id);
    AgentInfo before = known != null ? known.info() : recovered != null ? recovered.info() : null;
    if (registration.info().equals(before)) {
      readmit(tx, registration, message);
      return;
    }
    if (Admissions.tooLarge(tx, registration)) {
      return;
    }
    List<Registry.Change> changes = new ArrayList<>();
    changes.add(
        new Registry.Change(
            AgentRegistry.ADMITTED + id,
            AgentRegistry.bytes(registration.info(), state.standing(id))));
    if (state.unreachableAgents().containsKey(id)) {
      changes.add(new Registry.Change(AgentRegistry.UNREACHABLE + id, null));
    }
    tx.become(state.undecided(id, true));
    tx.store(
        changes,
        later -> {
          later.become(later.state().undecided(id, false));
          readmit(later, registration, message);
        },
        (later, reason) -> {
          Standings.decided(later, id);
          Admissions.refuse(later, registration, reason);
        });
  }

  private static void readmit(Transition tx, Registration registration, Reregister message) {
    AgentInfo info = registration.info();
    String id = info.getId().getValue();
    Agent known = tx.agent(id);
    boolean wasUnreachable = tx.state().unreachableAgents().containsKey(id);
    Standing standing = tx.state().standing(id);
    tx.become(
        tx.state()
            .withRecoveredAgents(tx.state().recoveredAgents().minus(id))
            .withUnreachableAgents(tx.state().unreachableAgents().minus(id)));
    tx.count("master/slave_reregistrations");
    Agent agent;
    if (known == null) {
      agent = Admissions.agent(tx, id, info, registration, standing);
    } else {
      Agents.rescindOffers(tx, known);
      agent =
          tx.agent(id)
              .reregister(
                  info,
                  registration.version(),
                  registration.capabilities(),
                  registration.address(),
                  tx.now());
      if (!known.info().getAttributesList().equals(info.getAttributesList())) {
        Offers.removeFilters(tx, id);
      }
    }
    tx.put(agent);
    Provision provision = new Provision(registration.total(), registration.resourceVersion());
    tx.post(
        known == null
            ? new LedgerChange.Opened(id, Map.of(Account.AGENT, provision))
            : new LedgerChange.Provided(id, Account.AGENT, provision));
    MasterEvent.Builder greeting =
        MasterEvent.newBuilder()
            .setReregistered(
                Reregistered.newBuilder()
                    .setAgentId(info.getId())
                    .setTotalPingTimeoutSeconds(Admissions.pingTimeout(tx)));
    Admissions.bind(tx, agent, registration.link(), greeting);
    LOG.info("Agent {} at {} reregistered", id, registration.pid());
    Set<String> frameworks =
        ReportedTasks.restore(tx, agent, message, known != null, wasUnreachable);
    AgentOperations.reported(tx, tx.agent(id), message);
    if (known == null) {
      tx.announce(id);
      tx.happened(new Happening.AgentAdded(tx.agent(id)));
    }
    for (String frameworkId : frameworks) {
      Framework framework = tx.framework(frameworkId);
      tx.send(
          agent,
          MasterEvent.newBuilder()
              .setUpdateFramework(UpdateFramework.newBuilder().setFramework(framework.info())));
    }
    Draining.tell(tx, agent);
    Draining.look(tx, id);
    Maintenances.look(tx, id);
    tx.allocate(id);
  }

  /** Ends the newcomer; an agent that is registered under the id keeps its link. */
  static void shutdown(Transition tx, long link, String id, String message) {
    LOG.warn("An agent that calls itself {} is told to end: {}", id, message);
    tx.effect(
        new Effect.ToLink(
            link, MasterEvent.newBuilder().setShutdown(Shutdown.newBuilder().setMessage(message))));
  }
}
