package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Shutdown;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.Maintenance;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How maintenance changes, and what that is to agents (rules 239 to 244). */
public final class Maintenances {
  private static final Logger LOG = LoggerFactory.getLogger(Maintenances.class);

  /** Among {@link MasterState#undecided}; no id or pid is such a text. */
  private static final String UNDER_WAY = "maintenance/";

  /** What agents of a machine are told that is taken down while they are registered. */
  private static final String TAKEN_DOWN = "Operator initiated 'Machine DOWN'";

  /** Agents that are looked at in one turn, so that the loop is never held for long. */
  private static final int LOOKED_AT_ONCE = 1_000;

  /** Agents that one write removes; the paths of so many of them are far below what it may hold. */
  private static final int REMOVED_AT_ONCE = 256;

  private Maintenances() {}

  /**
   * Does what an operator wants.
   *
   * @param allowed whether the operator has leave for it
   */
  public static void order(
      Transition tx, MaintenanceOrder order, boolean allowed, Outcome outcome) {
    MasterState state = tx.state();
    Optional<Refusal> refusal =
        order
            .refusal(state, allowed)
            .or(() -> MaintenanceRegistry.problem(order.applied(state.maintenance())));
    if (refusal.isPresent()) {
      outcome.refused(tx, refusal.get());
      return;
    }
    if (state.undecided().contains(UNDER_WAY)) {
      outcome.refused(
          tx, 409, "Another change of maintenance is being stored at this moment; try again");
      return;
    }
    LOG.info("Maintenance changes by {}", order);
    Maintenance next = order.applied(state.maintenance());
    tx.become(state.undecided(UNDER_WAY, true));
    tx.store(
        List.of(new Registry.Change(MaintenanceRegistry.KEY, MaintenanceRegistry.bytes(next))),
        later -> {
          Set<Machine> before = later.state().maintenance().down();
          later.become(later.state().undecided(UNDER_WAY, false).with(next));
          settle(later, List.copyOf(later.state().agents().keySet()));
          shutDown(later, on(later.state(), next.down().minusAll(before)), outcome::done);
        },
        (later, reason) -> {
          LOG.error("Maintenance cannot be stored: {}", reason);
          later.become(later.state().undecided(UNDER_WAY, false));
          outcome.notStored(later, reason);
        });
  }

  /**
   * What is wrong with an order about machines, which have to be in one mode; whether it is allowed
   * is told for one machine after the other.
   */
  static Optional<Refusal> refusal(
      MasterState state,
      List<MachineID> ids,
      boolean allowed,
      MachineInfo.Mode mode,
      String otherwise) {
    Optional<String> problem = MachineRules.problem(ids);
    if (problem.isPresent()) {
      return problem.map(Refusal::badRequest);
    }
    for (MachineID id : ids) {
      Machine machine = Machine.of(id);
      if (state.maintenance().mode(machine) == MachineInfo.Mode.UP
          && on(state, Set.of(machine)).isEmpty()) {
        return Optional.of(
            Refusal.badRequest(MachineRules.named(id) + " is not part of a maintenance schedule"));
      }
      if (state.maintenance().mode(machine) != mode) {
        return Optional.of(Refusal.badRequest(MachineRules.named(id) + otherwise));
      }
      if (!allowed) {
        return Optional.of(Refusal.FORBIDDEN);
      }
    }
    return Optional.empty();
  }

  static Set<Machine> machines(Collection<MachineID> ids) {
    return ids.stream().map(Machine::of).collect(Collectors.toSet());
  }

  /** The registered agents of some machines. */
  private static List<String> on(MasterState state, Set<Machine> machines) {
    return machines.isEmpty()
        ? List.of()
        : state.agents().values().stream()
            .filter(agent -> machines.contains(agent.machine()))
            .map(Agent::id)
            .sorted()
            .toList();
  }

  /** Lets agents know when they are not to be counted on; many of them in several turns. */
  private static void settle(Transition tx, List<String> agentIds) {
    int now = Math.min(agentIds.size(), LOOKED_AT_ONCE);
    for (String id : agentIds.subList(0, now)) {
      tx.state().agent(id).ifPresent(agent -> settle(tx, agent));
    }
    if (now < agentIds.size()) {
      List<String> rest = agentIds.subList(now, agentIds.size());
      tx.effect(new Effect.Next(later -> settle(later, rest)));
    }
  }

  /** Rule 242. */
  private static void settle(Transition tx, Agent agent) {
    Optional<Unavailability> planned = tx.state().maintenance().unavailability(agent.machine());
    if (!planned.equals(agent.unavailability())) {
      tx.put(agent.with(planned));
      AllocatorFeed.tellUpdated(tx, agent.id());
      Agents.rescindOffers(tx, agent);
      Reclaiming.forgetAgent(tx, agent.id());
      tx.allocate(agent.id());
    }
  }

  /** Whether agents of the machine of that agent are turned away (rules 135, 136). */
  static boolean refuses(MasterState state, Machine machine) {
    return state.maintenance().mode(machine) == MachineInfo.Mode.DOWN;
  }

  /**
   * Has an agent removed in the next turn whose machine was taken down while a write about the
   * agent was under way.
   */
  static void look(Transition tx, String agentId) {
    Agent agent = tx.agent(agentId);
    if (agent != null && refuses(tx.state(), agent.machine())) {
      tx.effect(
          new Effect.Next(
              later -> {
                Agent present = later.agent(agentId);
                if (present != null && refuses(later.state(), present.machine())) {
                  shutDown(later, List.of(agentId), last -> {});
                }
              }));
    }
  }

  /** Removes agents and tells them to end (rule 243); many of them in several writes. */
  private static void shutDown(Transition tx, List<String> agentIds, Step then) {
    if (agentIds.isEmpty()) {
      then.apply(tx);
      return;
    }
    int some = Math.min(agentIds.size(), REMOVED_AT_ONCE);
    List<String> rest = agentIds.subList(some, agentIds.size());
    List<String> now = new ArrayList<>();
    List<Registry.Change> changes = new ArrayList<>();
    for (String id : agentIds.subList(0, some)) {
      // Those about which a write is under way are looked at when it is over.
      if (tx.agent(id) != null && !tx.state().undecided().contains(id)) {
        now.add(id);
        changes.add(new Registry.Change(AgentRegistry.ADMITTED + id, null));
        tx.become(tx.state().undecided(id, true));
      }
    }
    if (now.isEmpty()) {
      shutDown(tx, rest, then);
      return;
    }
    tx.store(
        changes,
        later -> {
          now.forEach(id -> later.become(later.state().undecided(id, false)));
          shutDownEach(later, now, last -> shutDown(last, rest, then));
        },
        (later, reason) -> {
          LOG.error("Agents {} of machines that are down cannot be removed: {}", now, reason);
          now.forEach(id -> later.become(later.state().undecided(id, false)));
          shutDown(later, rest, then);
        });
  }

  private static void shutDownEach(Transition tx, List<String> agentIds, Step then) {
    if (agentIds.isEmpty()) {
      then.apply(tx);
      return;
    }
    List<String> rest = agentIds.subList(1, agentIds.size());
    Agent agent = tx.agent(agentIds.get(0));
    if (agent == null) {
      shutDownEach(tx, rest, then);
    } else {
      shutDown(tx, agent, last -> shutDownEach(last, rest, then));
    }
  }

  private static void shutDown(Transition tx, Agent agent, Step then) {
    tx.send(
        agent, MasterEvent.newBuilder().setShutdown(Shutdown.newBuilder().setMessage(TAKEN_DOWN)));
    Removals.remove(tx, agent, TAKEN_DOWN, then);
  }
}
