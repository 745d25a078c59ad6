package org.mezzo.master.transitions;

import org.mezzo.api.allocator.AgentState;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.resources.Resources;

/**
 * Tells allocators of changes of the ledger, so that what they have in mind is what stands there.
 * Of offers they know, having proposed them, and that those turn into what tasks hold is the same
 * to them: it is not free.
 */
final class AllocatorFeed {
  private AllocatorFeed() {}

  /** After the change, which is about an agent that the allocator knows. */
  static void tell(Transition tx, LedgerChange change) {
    String agentId = change.agentId();
    if (change instanceof LedgerChange.Closed) {
      tx.tell("agentRemoved", it -> it.agentRemoved(agentId));
    } else if (change instanceof LedgerChange.Provided) {
      tellUpdated(tx, agentId);
    } else if (change instanceof LedgerChange.Held held) {
      String frameworkId = held.frameworkId();
      Resources resources = held.resources();
      tx.tell("allocated", it -> it.allocated(frameworkId, agentId, resources));
    } else if (change instanceof LedgerChange.Withdrawn withdrawn) {
      tellReleased(tx, withdrawn.offer().frameworkId(), agentId, withdrawn.offer().resources());
    } else if (change instanceof LedgerChange.Released released) {
      tellReleased(tx, released.frameworkId(), agentId, released.resources());
    } else if (change instanceof LedgerChange.Converted converted) {
      if (!converted.frameworkId().isEmpty()) {
        tx.tell(
            "converted",
            it ->
                it.converted(
                    converted.frameworkId(), agentId, converted.consumed(), converted.converted()));
      }
      tellUpdated(tx, agentId);
    }
  }

  /** What is free again, one call for each allocation role. */
  private static void tellReleased(
      Transition tx, String frameworkId, String agentId, Resources resources) {
    resources
        .allocations()
        .forEach(
            (role, part) -> tx.tell("released", it -> it.released(frameworkId, agentId, part)));
  }

  /** How an agent is now. */
  static void tellUpdated(Transition tx, String agentId) {
    AgentState now = Holdings.agentState(tx.state(), tx.agent(agentId));
    tx.tell("agentUpdated", it -> it.agentUpdated(now));
  }

  /** An agent that is new to the allocator, with all that is held on it. */
  static void tellAdded(Transition tx, String agentId) {
    AgentState now = Holdings.agentState(tx.state(), tx.agent(agentId));
    tx.tell("agentAdded", it -> it.agentAdded(now));
  }
}
