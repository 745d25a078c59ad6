package org.mezzo.master.transitions;

import org.mezzo.master.state.MasterState.PendingTask;
import org.mezzo.master.state.MasterState.TaskKey;
import org.pcollections.PMap;

/** Tasks of accepted calls that are launched in a later turn of the loop. */
final class PendingTasks {
  private PendingTasks() {}

  /** Notes the tasks of a call. */
  static void add(Transition tx, Accepted call) {
    PMap<TaskKey, PendingTask> pending = tx.state().pendingTasks();
    tx.become(
        tx.state()
            .withPendingTasks(
                pending.isEmpty() ? call.pending() : pending.plusAll(call.pending())));
  }

  /** Takes a task off; tells whether it was killed meanwhile. */
  static boolean remove(Transition tx, String frameworkId, String taskId) {
    PMap<TaskKey, PendingTask> pending = tx.state().pendingTasks();
    if (pending.isEmpty()) {
      return false;
    }
    TaskKey key = new TaskKey(frameworkId, taskId);
    PendingTask waiting = pending.get(key);
    if (waiting == null) {
      return false;
    }
    tx.become(tx.state().withPendingTasks(pending.minus(key)));
    return waiting.killed();
  }
}
