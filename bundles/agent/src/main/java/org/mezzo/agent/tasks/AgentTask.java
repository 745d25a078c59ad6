package org.mezzo.agent.tasks;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.mezzo.agent.checks.TaskChecks;
import org.mezzo.agent.recovery.messages.TaskEntry;
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

  /** Names the group that it was launched with; empty where it was launched by itself. */
  String group = "";

  /** Until when it may end by itself, once it is being killed. */
  Optional<Instant> killedUntil = Optional.empty();

  /** When TASK_RUNNING was told for the first time. */
  Optional<Instant> runningSince = Optional.empty();

  /** How many health checks in a row had failed when that was last told, of those that count. */
  int healthFailures;

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

  /** A task that an earlier process of the agent had, as it left it. */
  AgentTask(AgentExecutor executor, TaskEntry kept, TaskVolumes volumes) {
    this.executor = executor;
    this.info = kept.getInfo();
    this.task = kept.getTask();
    this.volumes = volumes;
    this.containerStatus = kept.getContainerStatus();
    this.group = kept.getGroup();
    this.added = kept.getAddedMap();
    if (kept.hasKilledUntilMillis()) {
      killedUntil = Optional.of(Instant.ofEpochMilli(kept.getKilledUntilMillis()));
    }
    if (kept.hasRunningSinceMillis()) {
      runningSince = Optional.of(Instant.ofEpochMilli(kept.getRunningSinceMillis()));
    }
    healthFailures = kept.getHealthFailures();
  }

  /** How long it has run; zero of one of which that was not told. */
  Duration ranFor() {
    return notNegative(
        runningSince
            .map(since -> Duration.between(since, executor.host().clock().instant()))
            .orElse(Duration.ZERO));
  }

  /** It is being killed, and may end by itself for so long. */
  void killedWithin(Duration grace) {
    Instant until = executor.host().clock().instant().plus(grace);
    if (killedUntil.map(until::isBefore).orElse(true)) {
      killedUntil = Optional.of(until);
      executor.host().records().changed(this);
    }
  }

  /** How long it may still take to end by itself; zero where it is not being killed. */
  Duration killedRest() {
    return notNegative(
        killedUntil
            .map(until -> Duration.between(executor.host().clock().instant(), until))
            .orElse(Duration.ZERO));
  }

  /** How much of its {@code max_completion_time} is left, which counts from TASK_RUNNING. */
  Duration completionRest() {
    return notNegative(
        Duration.ofNanos(info.getMaxCompletionTime().getNanoseconds()).minus(ranFor()));
  }

  private static Duration notNegative(Duration some) {
    return some.isNegative() ? Duration.ZERO : some;
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
