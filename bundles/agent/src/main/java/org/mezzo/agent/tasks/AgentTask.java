package org.mezzo.agent.tasks;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.mezzo.agent.checks.TaskChecks;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/**
 * A task of an executor, until the framework knows of its end. What state it is in is what was last
 * told of it; whether it waits is its executor's to say. For the event loop only.
 */
final class AgentTask {
  final AgentExecutor executor;
  TaskInfo info;
  Task task;

  /** What is told of the container that it runs in. */
  ContainerStatus containerStatus;

  /** Variables of hooks, where its command runs by itself. */
  Map<String, String> added = Map.of();

  /** Its persistent volumes. */
  final TaskVolumes volumes;

  /** What looks after it, where the agent does. */
  TaskChecks checks = TaskChecks.NONE;

  /** The end of the line of updates that hooks are looking at. */
  CompletableFuture<TaskStatus> decorated = CompletableFuture.completedFuture(null);

  /** A task that waits, of which nothing was told. */
  AgentTask(AgentExecutor executor, TaskInfo info, TaskVolumes volumes) {
    this.executor = executor;
    this.info = info;
    this.volumes = volumes;
    this.containerStatus = executor.containerStatus();
    Task.Builder builder =
        Task.newBuilder()
            .setName(info.getName())
            .setTaskId(info.getTaskId())
            .setFrameworkId(executor.framework.info.getId())
            .setAgentId(info.getAgentId())
            .setState(TaskState.TASK_STAGING)
            .addAllResources(info.getResourcesList())
            .putAllLimits(info.getLimitsMap());
    if (!executor.generated) {
      builder.setExecutorId(executor.info.getExecutorId());
    }
    if (info.hasDiscovery()) {
      builder.setDiscovery(info.getDiscovery());
    }
    if (info.hasContainer()) {
      builder.setContainer(info.getContainer());
    }
    if (info.hasHealthCheck()) {
      builder.setHealthCheck(info.getHealthCheck());
    }
    if (info.hasKillPolicy()) {
      builder.setKillPolicy(info.getKillPolicy());
    }
    // As whom it runs where nothing is said here is its framework's.
    String own =
        info.getCommand().getUser().isEmpty()
            ? executor.info.getCommand().getUser()
            : info.getCommand().getUser();
    if (!own.isEmpty()) {
      builder.setUser(own);
    }
    this.task = builder.build();
    relabel(info);
  }

  /** Takes over the labels that hooks gave. */
  void relabel(TaskInfo labelled) {
    info = labelled;
    if (labelled.hasLabels()) {
      task = task.toBuilder().setLabels(labelled.getLabels()).build();
    }
  }

  String id() {
    return info.getTaskId().getValue();
  }

  FrameworkEntry framework() {
    return executor.framework;
  }

  /** Whether its end was told. */
  boolean terminal() {
    return States.terminal(task.getState());
  }

  /** The account to run as: the command's, else the executor's, else the framework's. */
  Optional<String> user() {
    return info.getCommand().getUser().isEmpty()
        ? executor.user()
        : Optional.of(info.getCommand().getUser());
  }
}
