package org.mezzo.agent.updates;

import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskState;

/** What is known of task states (rules 94 and 95). */
public final class States {
  private States() {}

  /** Whether a task in this state has ended for good. */
  public static boolean terminal(TaskState state) {
    switch (state) {
      case TASK_FINISHED:
      case TASK_FAILED:
      case TASK_KILLED:
      case TASK_ERROR:
      case TASK_LOST:
      case TASK_DROPPED:
      case TASK_GONE:
      case TASK_GONE_BY_OPERATOR:
        return true;
      default:
        return false;
    }
  }

  /** Whether the framework has a capability. */
  public static boolean has(FrameworkInfo framework, FrameworkInfo.Capability.Type type) {
    return framework.getCapabilitiesList().stream()
        .anyMatch(capability -> capability.getType() == type);
  }

  /** The state, or TASK_LOST for frameworks that do not know it. */
  public static TaskState forFramework(FrameworkInfo framework, TaskState state) {
    return has(framework, FrameworkInfo.Capability.Type.PARTITION_AWARE)
        ? state
        : TaskState.TASK_LOST;
  }
}
