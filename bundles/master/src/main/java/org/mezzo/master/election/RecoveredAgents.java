package org.mezzo.master.election;

import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Timers;
import org.mezzo.master.agents.Links;
import org.mezzo.master.transitions.Transition;
import org.mezzo.master.transitions.Unreachability;

/**
 * The agents that the registry knew when the term began: those that do not come back in time are
 * marked unreachable, unless they are so many that the master rather resigns (rule 150). Belongs to
 * the event loop.
 */
public final class RecoveredAgents implements AutoCloseable {
  private final StateMachine machine;
  private final Links links;
  private final double limit;
  private final MasterTerm.FailureListener failures;
  private final Timers timers;

  /**
   * Waits for nobody yet.
   *
   * @param limit the share that may be marked unreachable, from 0 to 1
   * @param failures told when more are missing
   */
  public RecoveredAgents(
      EventLoop loop,
      StateMachine machine,
      Links links,
      double limit,
      MasterTerm.FailureListener failures) {
    this.machine = machine;
    this.links = links;
    this.limit = limit;
    this.failures = failures;
    timers = new Timers(loop);
  }

  /** Waits for those of the present root. */
  void await() {
    int expected = machine.state().recoveredAgents().size();
    if (expected > 0) {
      timers.schedule(machine.settings().agents().reregisterTimeout(), () -> judge(expected));
    }
  }

  private void judge(int expected) {
    var missing = machine.state().recoveredAgents().keySet();
    if (missing.size() > expected * limit) {
      failures.failed(
          missing.size()
              + " of "
              + expected
              + " agents did not come back, more than --recovery_agent_removal_limit allows",
          null);
      return;
    }
    missing.forEach(id -> links.markLater(id, tx -> mark(tx, id)));
  }

  private static void mark(Transition tx, String agentId) {
    if (tx.state().recoveredAgents().containsKey(agentId)) {
      Unreachability.mark(tx, agentId, "agent did not reregister after the change of leader");
    }
  }

  @Override
  public void close() {
    timers.close();
  }
}
