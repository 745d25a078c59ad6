package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Registered;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.ledger.Provision;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * First registrations of agents (rules 135, 138, 139), and what every registration has in common.
 */
public final class Admissions {
  private static final Logger LOG = LoggerFactory.getLogger(Admissions.class);

  private Admissions() {}

  /** A first registration (rules 135, 138, 139). */
  public static void register(Transition tx, Registration registration) {
    String pid = registration.pid();
    tx.count("master/messages_register_slave");
    if (tx.state().undecided().contains(pid)
        || machineDown(tx, registration)
        || !acceptable(tx, registration)
        || tooLarge(tx, registration)) {
      return;
    }
    String knownId = tx.state().agentsByPid().get(pid);
    List<Registry.Change> changes = new ArrayList<>();
    if (knownId != null) {
      Agent known = tx.agent(knownId);
      boolean sameProcess =
          tx.state().account(knownId).version().equals(registration.resourceVersion());
      if (known.connected() && sameProcess) {
        tx.effect(new Effect.BindLink(knownId, registration.link()));
        tx.effect(new Effect.ToAgent(knownId, registered(tx, knownId)));
        return;
      }
      String hostname = known.info().getHostname();
      if (known.connected() && !hostname.equals(registration.info().getHostname())) {
        refuse(
            tx,
            registration,
            "Agent "
                + knownId
                + " on "
                + hostname
                + " is connected and has the same address "
                + registration.address().getIp()
                + ":"
                + registration.address().getPort()
                + "; give one of them another --ip, --advertise_ip or --port");
        return;
      }
      changes.add(new Registry.Change(AgentRegistry.ADMITTED + knownId, null));
    }
    Map.Entry<String, MasterState> next = tx.state().newAgentId();
    String id = next.getKey();
    AgentInfo info =
        registration.info().toBuilder().setId(AgentID.newBuilder().setValue(id)).build();
    changes.add(
        new Registry.Change(AgentRegistry.ADMITTED + id, AgentRegistry.bytes(info, Standing.OPEN)));
    tx.become(next.getValue().undecided(pid, true));
    tx.store(
        changes,
        later -> {
          later.become(later.state().undecided(pid, false));
          Agent old = knownId == null ? null : later.agent(knownId);
          if (old != null) {
            Removals.remove(
                later,
                old,
                "a new agent registered at the same address",
                last -> admit(last, id, info, registration));
          } else {
            admit(later, id, info, registration);
          }
        },
        (later, reason) -> {
          later.become(later.state().undecided(pid, false));
          refuse(later, registration, reason);
        });
  }

  private static void admit(Transition tx, String id, AgentInfo info, Registration registration) {
    Agent agent = agent(tx, id, info, registration, Standing.OPEN);
    tx.put(agent);
    tx.post(
        new LedgerChange.Opened(
            id,
            Map.of(
                Account.AGENT,
                new Provision(registration.total(), registration.resourceVersion()))));
    tx.count("master/slave_registrations");
    LOG.info(
        "Agent {} at {} ({}) registered with {}",
        id,
        registration.pid(),
        info.getHostname(),
        registration.total());
    bind(tx, agent, registration.link(), registered(tx, id));
    tx.announce(id);
    tx.allocate(id);
    tx.happened(new Happening.AgentAdded(agent));
    Maintenances.look(tx, id);
  }

  /** Whether agents of that machine have to end (rules 135, 136); this one is told so then. */
  static boolean machineDown(Transition tx, Registration registration) {
    if (!Maintenances.refuses(tx.state(), registration.machine())) {
      return false;
    }
    Readmissions.shutdown(tx, registration.link(), registration.pid(), "Machine is `DOWN`");
    return true;
  }

  /** Whether an agent may be part of this cluster. */
  static boolean acceptable(Transition tx, Registration registration) {
    String who = registration.info().getHostname() + " (" + registration.pid() + ")";
    if (registration.version().startsWith("0.") || registration.version().isEmpty()) {
      LOG.warn(
          "Agent {} has version '{}' and is ignored: at least 1.0.0 is needed",
          who,
          registration.version());
      return false;
    }
    if (registration.info().hasDomain() && !tx.state().self().hasDomain()) {
      LOG.warn("Agent {} has a domain and is ignored: give the master one by --domain", who);
      return false;
    }
    if (!registration.info().hasDomain() && tx.settings().agents().requireDomain()) {
      LOG.warn("Agent {} has no domain and is ignored: give it one by --domain", who);
      return false;
    }
    return true;
  }

  /** Whether an agent's description cannot be kept by the registry; the agent is told then. */
  static boolean tooLarge(Transition tx, Registration registration) {
    int size = registration.info().getSerializedSize();
    if (size <= AgentRegistry.MAX_AGENT_BYTES) {
      return false;
    }
    refuse(
        tx,
        registration,
        String.format(
            "Agent's description has %d bytes and the registry keeps at most %d; give it fewer or"
                + " shorter --attributes and --resources",
            size, AgentRegistry.MAX_AGENT_BYTES));
    return true;
  }

  /** Turns an agent away, which may try again; tells it why. */
  static void refuse(Transition tx, Registration registration, String reason) {
    LOG.warn(
        "Agent {} ({}) is not admitted: {}",
        registration.info().getHostname(),
        registration.pid(),
        reason);
    tx.effect(new Effect.RefuseLink(registration.link(), reason));
  }

  static Agent agent(
      Transition tx, String id, AgentInfo info, Registration registration, Standing standing) {
    return Agent.of(
            id,
            info,
            registration.version(),
            registration.capabilities(),
            registration.address(),
            standing,
            tx.now())
        .with(tx.state().maintenance().unavailability(registration.machine()));
  }

  /** Makes a link that of an agent, greets it and begins to ping it. */
  static void bind(Transition tx, Agent agent, long link, MasterEvent.Builder greeting) {
    tx.effect(new Effect.BindLink(agent.id(), link));
    tx.effect(new Effect.ToAgent(agent.id(), greeting));
    tx.effect(new Effect.Ping(agent.id()));
  }

  private static MasterEvent.Builder registered(Transition tx, String id) {
    return MasterEvent.newBuilder()
        .setRegistered(
            Registered.newBuilder()
                .setAgentId(AgentID.newBuilder().setValue(id))
                .setTotalPingTimeoutSeconds(pingTimeout(tx)));
  }

  /** How long an agent may hear nothing, in seconds. */
  static double pingTimeout(Transition tx) {
    Settings.Agents rules = tx.settings().agents();
    return rules.pingTimeout().multipliedBy(rules.maxPingTimeouts()).toMillis() / 1e3;
  }
}
