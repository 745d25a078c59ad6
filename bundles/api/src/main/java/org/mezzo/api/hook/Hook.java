package org.mezzo.api.hook;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.mezzo.api.Module;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decorates messages on their way through master and agent. Hooks run in the order of {@code
 * --hooks}, each seeing what the one before it returned.
 *
 * <p>What a method returns replaces what was there; what it was given, returned as it is, leaves
 * it. Methods that add variables return those alone; nothing else is taken away by that.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}. Deadline of each call: 1 second. A hook that
 * throws, is late or is absent is skipped: the message goes on undecorated by it, and is never held
 * back for it. Null is a fault. A hook that (re)appears is told nothing of what went before; in a
 * swap no message passes without it. Nothing can be refused by a hook: that is the authorizer's.
 */
@ConsumerType
public interface Hook extends Module {

  /** The value of {@code mezzo.module.kind} of hooks. */
  String KIND = "hook";

  /** On the master, for each task of an accepted launch: the labels the task gets. */
  default Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return task.getLabels();
  }

  /**
   * On the master, for each task of an accepted launch, before it is validated: the resources the
   * task gets. They are paid for by the offers of the launch as if the framework had asked for
   * them: a task that gets what was not offered is refused. The role of their allocation may be
   * left out. What cannot be read as resources counts as thrown.
   *
   * @param task with the labels that hooks gave it
   */
  default List<Resource> masterLaunchTaskResources(
      TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return task.getResourcesList();
  }

  /** On the agent, for each task before it starts: the labels the task gets. */
  default Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return task.getLabels();
  }

  /**
   * On the agent, for each task whose command the agent itself runs, as those of command tasks and
   * of default executors: variables added to the task's environment, over those that it has.
   */
  default Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return Map.of();
  }

  /**
   * On the agent, for each executor that a framework brings along, before it starts: variables
   * added to its environment, over those that it has.
   */
  default Map<String, String> agentExecutorEnvironment(
      ExecutorInfo executor, FrameworkInfo framework) {
    return Map.of();
  }

  /**
   * On the agent, when the URIs of a container have been fetched and before anything is started in
   * it, which waits for this. Containers that have their sandbox from the one around and fetch
   * nothing are left out.
   *
   * @param container with those around it
   * @param sandbox where the URIs are; its user owns it and may exchange what is in it only once
   *     this has returned or is late
   */
  default void agentFetched(ContainerID container, Path sandbox) {}

  /** On the agent, for each status update: the update to send instead; state must not change. */
  default TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
    return status;
  }

  /** On the agent, after a task's container ended. */
  default void agentTaskRemoved(FrameworkID framework, TaskInfo task) {}

  /**
   * On the agent, after an executor ended, whatever ended it, and its tasks with it.
   *
   * @param executor of a command task one of the agent's making, with the task's id
   */
  default void agentExecutorRemoved(FrameworkInfo framework, ExecutorInfo executor) {}

  /**
   * On the agent, once when it starts: the resources it has, which the master is told, instead of
   * those of {@code --resources} and the machine. What cannot be read as resources counts as
   * thrown.
   *
   * <p>An agent that starts again without a hook which it had before has other resources by that;
   * {@code --reconfiguration_policy} says what comes of it.
   *
   * @param agent with the resources so far
   */
  default List<Resource> agentResources(AgentInfo agent) {
    return agent.getResourcesList();
  }

  /**
   * On the agent, once when it starts: the attributes it has, instead of those of {@code
   * --attributes}.
   *
   * @param agent with its resources, and the attributes so far
   */
  default List<Attribute> agentAttributes(AgentInfo agent) {
    return agent.getAttributesList();
  }

  /** On the master, after an agent was removed or became unreachable. */
  default void masterAgentLost(AgentInfo agent) {}
}
