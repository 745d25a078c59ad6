package org.mezzo.master.transitions;

import org.mezzo.master.state.Framework;
import org.mezzo.master.state.TaskStates;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/** What a framework is told of a task that is not launched; nothing is kept of it. */
final class Rejections {
  private Rejections() {}

  /** The task may be launched again as it is. */
  static void drop(
      Transition tx, Framework framework, TaskInfo task, TaskStatus.Reason reason, String message) {
    tell(
        tx,
        framework,
        task,
        TaskStates.shown(TaskState.TASK_DROPPED, framework.partitionAware()),
        reason,
        message);
  }

  /** The task will never do as it is. */
  static void error(
      Transition tx, Framework framework, TaskInfo task, TaskStatus.Reason reason, String message) {
    tell(tx, framework, task, TaskState.TASK_ERROR, reason, message);
  }

  /** The task, or one of its group, was killed before its agent heard of it (rule 113). */
  static void killed(Transition tx, Framework framework, TaskInfo task, String message) {
    tell(
        tx,
        framework,
        task,
        TaskState.TASK_KILLED,
        TaskStatus.Reason.REASON_TASK_KILLED_DURING_LAUNCH,
        message);
  }

  private static void tell(
      Transition tx,
      Framework framework,
      TaskInfo task,
      TaskState state,
      TaskStatus.Reason reason,
      String message) {
    TaskStatus status =
        Statuses.make(
                tx.now(),
                task.getTaskId().getValue(),
                task.getAgentId().getValue(),
                state,
                reason,
                message)
            .build();
    Statuses.countEnd(tx, state, status);
    Statuses.send(tx, framework, status);
  }
}
