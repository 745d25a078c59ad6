package org.mezzo.master.state;

import org.mezzo.protocol.v1.TaskStatus;

/** Something operators may want to be told of (rule 159). */
public sealed interface Happening {

  /** A task was launched or became known. */
  record TaskAdded(Task task) implements Happening {}

  /**
   * The state of a task changed, or an update brought news of a check or of health.
   *
   * @param task after the update
   * @param status the update
   */
  record TaskUpdated(Task task, TaskStatus status) implements Happening {}

  /** A framework subscribed for the first time or became known. */
  record FrameworkAdded(Framework framework) implements Happening {}

  /** Info, roles, connection or activity of a framework changed. */
  record FrameworkUpdated(Framework framework) implements Happening {}

  /** A framework was removed. */
  record FrameworkRemoved(Framework framework) implements Happening {}

  /** An agent registered or came back. */
  record AgentAdded(Agent agent) implements Happening {}

  /** An agent was removed; not told when it became unreachable or gone. */
  record AgentRemoved(Agent agent) implements Happening {}
}
