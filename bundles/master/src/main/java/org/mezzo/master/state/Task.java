package org.mezzo.master.state;

import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Resources;

/**
 * A task of a framework.
 *
 * @param executorId empty for a command task
 * @param message what clients see: state is the latest one the agent knows (rule 103), {@code
 *     status_update_state} that of the last update sent to the framework (rule 104), {@code
 *     statuses} without data and only the last of consecutive equal states (rule 105)
 * @param resources held by it on its agent, with their allocation role
 * @param released whether the resources were given back already (rule 106)
 * @param killRequested a kill that waits for the agent to come back (rule 118)
 */
public record Task(
    String id,
    String frameworkId,
    String agentId,
    String executorId,
    org.mezzo.protocol.v1.Task message,
    Resources resources,
    boolean released,
    boolean killRequested) {

  /** The latest state the master has heard of. */
  public TaskState state() {
    return message.getState();
  }

  /** Whether the latest state is final (rule 94). */
  public boolean terminal() {
    return TaskStates.terminal(message.getState());
  }

  /** With another message. */
  public Task with(org.mezzo.protocol.v1.Task next) {
    return new Task(id, frameworkId, agentId, executorId, next, resources, released, killRequested);
  }

  /** With its resources given back. */
  public Task release() {
    return new Task(id, frameworkId, agentId, executorId, message, resources, true, killRequested);
  }

  /** With or without a kill to be repeated. */
  public Task withKillRequested(boolean requested) {
    return new Task(id, frameworkId, agentId, executorId, message, resources, released, requested);
  }
}
