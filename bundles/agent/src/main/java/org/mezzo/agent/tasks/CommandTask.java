package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/** A task that is a command, with the container it runs in. For the event loop only. */
final class CommandTask {
  final FrameworkEntry framework;
  final String containerId;
  final Path sandbox;
  TaskInfo info;
  Task task;
  ContainerStatus containerStatus;

  /** Its container has a first process. */
  boolean started;

  /** Whether TASK_STARTING was told. */
  boolean startingTold;

  /** The containerizer was asked to launch it. */
  boolean launching;

  /** Its container is gone, or never came to be. */
  boolean ended;

  /** Its terminal update was acknowledged. */
  boolean acknowledged;

  /** How the container ended, if that was known before its launch was. */
  Optional<Termination> earlyEnd = Optional.empty();

  /** Whether the master lets nothing run as root. */
  boolean rootRefused;

  /** Its persistent volumes. */
  TaskVolumes volumes = TaskVolumes.NONE;

  /** What is given to its user beside the sandbox. */
  List<Path> owned = List.of();

  boolean killed;
  boolean outOfTime;
  long killBegan;
  Duration grace = Duration.ZERO;
  Timer killTimer = () -> {};
  Timer completionTimer = () -> {};

  /** The end of the line of updates that hooks are looking at. */
  CompletableFuture<TaskStatus> decorated = CompletableFuture.completedFuture(null);

  CommandTask(FrameworkEntry framework, TaskInfo info, String containerId, Path sandbox) {
    this.framework = framework;
    this.info = info;
    this.containerId = containerId;
    this.sandbox = sandbox;
    this.containerStatus =
        ContainerStatus.newBuilder()
            .setContainerId(ContainerID.newBuilder().setValue(containerId))
            .build();
    Task.Builder builder =
        Task.newBuilder()
            .setName(info.getName())
            .setTaskId(info.getTaskId())
            .setFrameworkId(framework.info.getId())
            .setAgentId(info.getAgentId())
            .setState(TaskState.TASK_STAGING)
            .addAllResources(info.getResourcesList())
            .putAllLimits(info.getLimitsMap());
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
    user().ifPresent(builder::setUser);
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

  ExecutorID executorId() {
    return ExecutorID.newBuilder().setValue(id()).build();
  }

  /** The account to run as: the command's, else the framework's. */
  Optional<String> user() {
    if (info.getCommand().hasUser() && !info.getCommand().getUser().isEmpty()) {
      return Optional.of(info.getCommand().getUser());
    }
    return framework.info.getUser().isEmpty()
        ? Optional.empty()
        : Optional.of(framework.info.getUser());
  }

  /** The name of the executor that Mesos would have made for it (rule 197). */
  String executorName() {
    String command =
        info.getCommand().getShell()
            ? "sh -c '" + cut(info.getCommand().getValue()) + "'"
            : cut(
                "["
                    + info.getCommand().getValue()
                    + ", "
                    + String.join(", ", info.getCommand().getArgumentsList())
                    + "]");
    return "Command Executor (Task: " + id() + ") (Command: " + command + ")";
  }

  private static String cut(String text) {
    return text.length() <= 15 ? text : text.substring(0, 12) + "...";
  }
}
