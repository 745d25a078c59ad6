package org.mezzo.master.rollouts;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Timers;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Standings;
import org.mezzo.master.transitions.Step;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Agents that have registered and have not said yet that they have the modules that are wanted of
 * them: nothing of them is offered until they do. One that had them once since goes on, whatever
 * becomes of its modules. Belongs to the event loop.
 */
final class JoiningAgents {
  private static final Logger LOG = LoggerFactory.getLogger(JoiningAgents.class);

  /** How long an agent may be without offers before that is told. */
  private static final Duration LONG = Duration.ofSeconds(30);

  /** One that waits. */
  private static final class Joining {
    private final EventLoop.Timer timer;

    /** What it has said since it registered; empty when nothing. */
    private Optional<ModuleStatus> said = Optional.empty();

    Joining(EventLoop.Timer timer) {
      this.timer = timer;
    }
  }

  private final Supplier<MasterState> state;
  private final Consumer<Step> run;
  private final Timers timers;
  private final Map<String, Joining> joining = new HashMap<>();

  /**
   * Nobody waits.
   *
   * @param run runs a step as a transition
   */
  JoiningAgents(Supplier<MasterState> state, Consumer<Step> run, Timers timers) {
    this.state = state;
    this.run = run;
    this.timers = timers;
  }

  /** How many wait. */
  int size() {
    return joining.size();
  }

  /** An agent has registered, and nothing that it has said before counts. */
  void joined(String agentId) {
    left(agentId);
    joining.put(agentId, new Joining(timers.schedule(LONG, () -> stillWaits(agentId))));
  }

  /** It need not wait, or is gone. */
  void left(String agentId) {
    Joining before = joining.remove(agentId);
    if (before != null) {
      before.timer.cancel();
    }
  }

  /** It says how far it is. */
  void said(String agentId, ModuleStatus status) {
    Joining agent = joining.get(agentId);
    if (agent != null) {
      agent.said = Optional.of(status);
    }
  }

  /** Has an agent with a link wait, or wait no longer, now that this is wanted of it. */
  void settle(String agentId, Generation wanted) {
    Agent agent = state.get().agents().get(agentId);
    if (agent == null) {
      return;
    }
    Joining waits = joining.get(agentId);
    Optional<String> awaits = waits == null ? Optional.empty() : awaits(wanted, waits.said);
    if (awaits.isEmpty()) {
      left(agentId);
    }
    if (!agent.awaits().equals(awaits)) {
      run.accept(tx -> Standings.await(tx, agentId, awaits));
    }
  }

  /** The same of all that wait. */
  void settleAll(Function<String, Generation> wanted) {
    List.copyOf(joining.keySet()).forEach(id -> settle(id, wanted.apply(id)));
  }

  private void stillWaits(String agentId) {
    Agent agent = state.get().agents().get(agentId);
    if (agent != null) {
      LOG.warn(
          "Nothing of agent {} ({}) is offered: {}",
          agentId,
          agent.info().getHostname(),
          agent.awaits().orElse(""));
    }
  }

  /** What an agent has to have before it is offered, for people; empty when it has all. */
  private static Optional<String> awaits(Generation wanted, Optional<ModuleStatus> said) {
    if (said.isEmpty() || said.get().getGeneration() != wanted.number()) {
      return Optional.of(
          "it has not said yet that it has generation " + wanted.number() + " of modules");
    }
    for (ModuleReport report : said.get().getModulesList()) {
      switch (report.getState()) {
        case ACTIVE, OVERRIDDEN -> {}
        case FAILED, UNHEALTHY -> {
          return Optional.of(
              "%s, wanted by generation %d of modules, does not work there: %s"
                  .formatted(report.getSymbolicName(), wanted.number(), report.getProblem()));
        }
        default -> {
          return Optional.of(
              "%s, wanted by generation %d of modules, is not active there yet"
                  .formatted(report.getSymbolicName(), wanted.number()));
        }
      }
    }
    return Optional.empty();
  }
}
