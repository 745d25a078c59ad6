package org.mezzo.master.state;

import org.mezzo.protocol.v1.TaskState;

/** What a task state means (rules 94 and 95). */
public final class TaskStates {
  private TaskStates() {}

  /** Whether nothing follows the state (rule 94). */
  public static boolean terminal(TaskState state) {
    return switch (state) {
      case TASK_FINISHED,
          TASK_FAILED,
          TASK_KILLED,
          TASK_ERROR,
          TASK_LOST,
          TASK_DROPPED,
          TASK_GONE,
          TASK_GONE_BY_OPERATOR ->
          true;
      case TASK_STAGING,
          TASK_STARTING,
          TASK_RUNNING,
          TASK_KILLING,
          TASK_UNREACHABLE,
          TASK_UNKNOWN ->
          false;
    };
  }

  /** Whether a task in this state holds no resources any more (rule 106). */
  public static boolean holdsNothing(TaskState state) {
    return terminal(state) || state == TaskState.TASK_UNREACHABLE;
  }

  /** The state as a framework sees it that may not know the partition states (rule 95). */
  public static TaskState shown(TaskState state, boolean partitionAware) {
    if (partitionAware) {
      return state;
    }
    return switch (state) {
      case TASK_DROPPED, TASK_UNREACHABLE, TASK_GONE, TASK_GONE_BY_OPERATOR, TASK_UNKNOWN ->
          TaskState.TASK_LOST;
      default -> state;
    };
  }
}
