package org.mezzo.master.transitions;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.link.messages.Drain;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DrainInfo;
import org.mezzo.protocol.v1.DrainState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Agents that have to give up their tasks (rules 247 to 252, 255). */
public final class Draining {
  private static final Logger LOG = LoggerFactory.getLogger(Draining.class);

  /** How long a launch that is not decided is waited for before it is looked at again. */
  private static final Duration UNDECIDED_LAUNCH = Duration.ofSeconds(1);

  private Draining() {}

  /**
   * DRAIN_AGENT (rules 247, 248, 252).
   *
   * @param allowed whether the operator has leave for it
   */
  public static void begin(
      Transition tx, String agentId, DrainConfig config, boolean allowed, Outcome outcome) {
    Optional<Refusal> refusal = refusal(tx.state(), agentId, allowed);
    if (refusal.isPresent()) {
      outcome.refused(tx, refusal.get());
      return;
    }
    LOG.info("Agent {} is to be drained{}", agentId, config.getMarkGone() ? ", then gone" : "");
    DrainInfo info =
        DrainInfo.newBuilder()
            .setState(DrainState.DRAINING)
            .setConfig(config.toBuilder().setMarkGone(config.getMarkGone()))
            .build();
    Standing next = new Standing(true, Optional.of(new Standing.Draining(info, tx.now())));
    Standings.change(
        tx,
        agentId,
        next,
        later -> {
          later.state().agent(agentId).ifPresent(agent -> tell(later, agent));
          outcome.done(later);
        },
        outcome);
  }

  private static Optional<Refusal> refusal(MasterState state, String agentId, boolean allowed) {
    Agent agent = state.agents().get(agentId);
    if (agent != null && state.maintenance().unavailability(agent.machine()).isPresent()) {
      return Optional.of(
          Refusal.badRequest(
              "Agent '"
                  + agentId
                  + "' cannot be drained: its machine is in the maintenance schedule"));
    }
    if (agent != null && !agent.capabilities().contains(AgentInfo.Capability.Type.AGENT_DRAINING)) {
      return Optional.of(
          Refusal.badRequest(
              "Agent '" + agentId + "' cannot be drained: it lacks the AGENT_DRAINING capability"));
    }
    if (!allowed) {
      return Optional.of(Refusal.FORBIDDEN);
    }
    return Standings.known(state, agentId)
        ? Optional.empty()
        : Optional.of(Refusal.badRequest("Unknown agent"));
  }

  /** Tells an agent that drains what it has to do, now or again (rule 248). */
  static void tell(Transition tx, Agent agent) {
    draining(agent)
        .ifPresent(
            info ->
                tx.send(
                    agent,
                    MasterEvent.newBuilder()
                        .setDrain(Drain.newBuilder().setConfig(info.getConfig()))));
  }

  private static Optional<DrainInfo> draining(Agent agent) {
    return agent
        .standing()
        .draining()
        .map(Standing.Draining::info)
        .filter(info -> info.getState() == DrainState.DRAINING);
  }

  /**
   * Has looked, in the next turn, whether an agent that drains has nothing left (rule 251). To be
   * called whenever something may be the last that has gone from it: a task, an operation.
   */
  static void look(Transition tx, String agentId) {
    Agent agent = tx.agent(agentId);
    // By the next turn an agent that is leaving has left.
    if (agent != null && draining(agent).isPresent() && empty(tx.state(), agent)) {
      tx.effect(new Effect.Next(later -> end(later, agentId)));
    }
  }

  /** Whether nothing is left on an agent of what a drain waits for. */
  private static boolean empty(MasterState state, Agent agent) {
    return agent.tasks().isEmpty() && state.operations().on(agent.id()).isEmpty();
  }

  private static void end(Transition tx, String agentId) {
    Agent agent = tx.agent(agentId);
    if (agent == null || tx.state().undecided().contains(agentId)) {
      return;
    }
    Optional<DrainInfo> info = draining(agent);
    if (info.isEmpty() || !empty(tx.state(), agent)) {
      return;
    }
    boolean launching =
        tx.state().pendingTasks().values().stream().anyMatch(it -> it.agentId().equals(agentId));
    if (launching) {
      tx.after("drain of agent " + agentId, UNDECIDED_LAUNCH, later -> end(later, agentId));
      return;
    }
    if (info.get().getConfig().getMarkGone()) {
      Gone.mark(tx, agentId, Outcome.UNHEARD);
      return;
    }
    LOG.info("Agent {} is drained", agentId);
    Standing now = agent.standing();
    DrainInfo drained = info.get().toBuilder().setState(DrainState.DRAINED).build();
    Standing next =
        new Standing(
            now.deactivated(),
            now.draining().map(it -> new Standing.Draining(drained, it.began())));
    Standings.change(tx, agentId, next, later -> {}, Outcome.UNHEARD);
  }
}
