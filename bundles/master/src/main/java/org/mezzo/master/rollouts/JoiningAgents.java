package org.mezzo.master.rollouts;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;

/**
 * Agents that have registered and have not said yet that they have the modules that are wanted of
 * them: nothing of them is offered until they do. One that had them once since goes on, whatever
 * becomes of its modules. Belongs to the event loop.
 */
final class JoiningAgents {
  private final Set<String> joining = new HashSet<>();

  /** How many wait. */
  int size() {
    return joining.size();
  }

  /** Whether it waits. */
  boolean contains(String agentId) {
    return joining.contains(agentId);
  }

  /** All that wait, to go through. */
  Set<String> ids() {
    return Set.copyOf(joining);
  }

  void joined(String agentId) {
    joining.add(agentId);
  }

  void left(String agentId) {
    joining.remove(agentId);
  }

  /**
   * What an agent has to have before it is offered, for people; empty when it has all.
   *
   * @param status what it has said since it registered; empty when nothing
   */
  static Optional<String> awaits(Generation wanted, Optional<ModuleStatus> status) {
    if (status.isEmpty() || status.get().getGeneration() != wanted.number()) {
      return Optional.of(
          "it has not said yet that it has generation " + wanted.number() + " of modules");
    }
    for (ModuleReport report : status.get().getModulesList()) {
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
