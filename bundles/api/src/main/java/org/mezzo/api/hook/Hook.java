package org.mezzo.api.hook;

import java.util.Map;
import org.mezzo.api.Module;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decorates messages on their way through master and agent. Hooks run in the order of {@code
 * --hooks}, each seeing what the one before it returned.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}. Deadline of each call: 1 second. A hook that
 * throws, is late or is absent is skipped: the message goes on undecorated by it, and is never held
 * back for it. Null is a fault. A hook that (re)appears is told nothing of what went before; in a
 * swap no message passes without it.
 */
@ConsumerType
public interface Hook extends Module {

  /** The value of {@code mezzo.module.kind} of hooks. */
  String KIND = "hook";

  /** On the master, for each task of an accepted launch: the labels the task gets. */
  default Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return task.getLabels();
  }

  /** On the agent, for each task before it starts: the labels the task gets. */
  default Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return task.getLabels();
  }

  /** On the agent: variables added to the task's environment. */
  default Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return Map.of();
  }

  /** On the agent, for each status update: the update to send instead; state must not change. */
  default TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
    return status;
  }

  /** On the agent, after a task's container ended. */
  default void agentTaskRemoved(FrameworkID framework, TaskInfo task) {}

  /** On the master, after an agent was removed or became unreachable. */
  default void masterAgentLost(AgentInfo agent) {}
}
