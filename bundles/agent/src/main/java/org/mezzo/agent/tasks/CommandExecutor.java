package org.mezzo.agent.tasks;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.agent.updates.States;
import org.mezzo.api.Metrics;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Mesos has a process of its own for: starts the command of a task, kills it with its grace,
 * and says what becomes of it (rules 198 to 205). For the event loop only.
 */
final class CommandExecutor implements TaskContainers.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(CommandExecutor.class);
  private static final Duration DEFAULT_KILL_GRACE = Duration.ofSeconds(3);

  private final EventLoop loop;
  private final TaskContainers containers;
  private final TaskSandboxes sandboxes;
  private final TaskUpdates updates;
  private final Metrics.Counter launchErrors;
  private final Consumer<CommandTask> ended;

  /**
   * Nothing started yet.
   *
   * @param ended told of each task when its container is gone or will never be, after the update
   */
  CommandExecutor(
      EventLoop loop,
      TaskContainers containers,
      TaskSandboxes sandboxes,
      TaskUpdates updates,
      Metrics metrics,
      Consumer<CommandTask> ended) {
    this.loop = loop;
    this.containers = containers;
    this.sandboxes = sandboxes;
    this.updates = updates;
    this.ended = ended;
    launchErrors = metrics.counter("slave/container_launch_errors");
  }

  // Launching.

  /**
   * Launches the command, unless the task was killed before.
   *
   * @param added what hooks add to its environment
   */
  void launch(CommandTask task, Map<String, String> added) {
    if (task.ended) {
      return;
    }
    LaunchRequest request;
    try {
      request = containers.request(task, added);
    } catch (ResourceFormatException | RuntimeException e) {
      failed(task, e.getMessage());
      return;
    }
    sandboxes.show(task);
    task.launching = true;
    if (startsAtOnce(task)) {
      // Its acknowledgement travels while the process is being made, so that RUNNING need not wait.
      starting(task, task.containerStatus.toBuilder());
    }
    containers.launch(task, request, this);
  }

  /** Whether nothing that may take time or be refused comes before the task's process. */
  private boolean startsAtOnce(CommandTask task) {
    return task.info.getCommand().getUrisCount() == 0
        && !task.rootRefused
        && task.user().map(System.getProperty("user.name")::equals).orElse(true);
  }

  private void starting(CommandTask task, ContainerStatus.Builder status) {
    task.containerStatus = containers.addressed(status);
    if (!task.startingTold) {
      task.startingTold = true;
      updates.tell(task, updates.fromExecutor(task, TaskState.TASK_STARTING));
    }
  }

  @Override
  public void started(CommandTask task, long pid, ContainerStatus status) {
    if (task.ended) {
      return;
    }
    task.started = true;
    starting(
        task,
        (status == null ? task.containerStatus : status).toBuilder().setExecutorPid((int) pid));
    updates.tell(task, updates.fromExecutor(task, TaskState.TASK_RUNNING));
    if (task.info.hasMaxCompletionTime()) {
      task.completionTimer =
          loop.schedule(
              Duration.ofNanos(task.info.getMaxCompletionTime().getNanoseconds()),
              () -> outOfTime(task));
    }
    if (task.earlyEnd.isPresent()) {
      terminated(task, task.earlyEnd.get());
    } else if (task.killed) {
      beginKill(task);
    }
  }

  private void outOfTime(CommandTask task) {
    if (!task.ended) {
      LOG.info("Task '{}' has run for its max_completion_time and is killed", task.id());
      task.outOfTime = true;
      containers.destroy(task);
    }
  }

  @Override
  public void failed(CommandTask task, String message) {
    if (task.ended) {
      return;
    }
    task.ended = true;
    task.killTimer.cancel();
    if (task.killed) {
      updates.tell(
          task,
          updates
              .fromAgent(task.info.getTaskId(), TaskState.TASK_KILLED)
              .setReason(Reason.REASON_TASK_KILLED_DURING_LAUNCH)
              .setMessage("Task killed while it was being launched"));
    } else {
      launchErrors.increment();
      LOG.warn("Task '{}' could not be launched: {}", task.id(), message);
      updates.tell(
          task,
          updates
              .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
              .setExecutorId(task.executorId())
              .setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED)
              .setMessage("Failed to launch container: " + message));
    }
    ended.accept(task);
  }

  /** Gives a task up that was not launched yet. */
  void drop(CommandTask task, Reason reason, String message) {
    task.ended = true;
    LOG.warn("Task '{}' is not launched: {}", task.id(), message);
    updates.tell(
        task,
        updates
            .fromAgent(
                task.info.getTaskId(),
                States.forFramework(task.framework.info, TaskState.TASK_DROPPED))
            .setReason(reason)
            .setMessage(message));
    ended.accept(task);
  }

  // Ending.

  @Override
  public void terminated(CommandTask task, Termination end) {
    if (task.ended) {
      return;
    }
    if (!task.started) {
      // What is told of its start is on its way here.
      task.earlyEnd = Optional.of(end);
      return;
    }
    task.ended = true;
    task.killTimer.cancel();
    task.completionTimer.cancel();
    TaskStatus.Builder status;
    if (end.limitation().isPresent()) {
      Containerizer.Limitation limit = end.limitation().get();
      status =
          updates
              .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
              .setReason(reason(limit.reason()))
              .setMessage(limit.message());
      status
          .getLimitationBuilder()
          .addAllResources(limit.resources().toMessages(Resources.Format.POST_REFINEMENT));
    } else if (end.waitStatus().isEmpty() && !task.killed && !task.outOfTime) {
      status =
          updates
              .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
              .setReason(Reason.REASON_EXECUTOR_TERMINATED)
              .setMessage("Command " + end.describe());
    } else {
      TaskState state =
          task.outOfTime
              ? TaskState.TASK_FAILED
              : task.killed
                  ? TaskState.TASK_KILLED
                  : end.succeeded() ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
      status = updates.fromExecutor(task, state).setMessage("Command " + end.describe());
      if (task.outOfTime) {
        status.setReason(Reason.REASON_MAX_COMPLETION_TIME_REACHED);
      }
    }
    updates.tell(task, status);
    ended.accept(task);
  }

  private static Reason reason(String name) {
    try {
      return Reason.valueOf(name);
    } catch (IllegalArgumentException e) {
      return Reason.REASON_CONTAINER_LIMITATION;
    }
  }

  // Killing.

  /**
   * How long a kill waits (rule 201).
   *
   * @param policy of the kill; where it says nothing the task's counts, else the default
   */
  static Duration grace(CommandTask task, KillPolicy policy) {
    if (policy.hasGracePeriod()) {
      return Duration.ofNanos(policy.getGracePeriod().getNanoseconds());
    }
    return task.info.getKillPolicy().hasGracePeriod()
        ? Duration.ofNanos(task.info.getKillPolicy().getGracePeriod().getNanoseconds())
        : DEFAULT_KILL_GRACE;
  }

  /**
   * Kills a task; a second kill can only shorten the grace.
   *
   * @param grace between asking and ending
   * @param tell whether a framework that knows TASK_KILLING is told of it
   */
  void kill(CommandTask task, Duration grace, boolean tell) {
    if (task.ended) {
      return;
    }
    if (!task.killed) {
      task.killed = true;
      task.grace = grace;
      if (!task.launching) {
        failed(task, "");
      } else if (task.started) {
        if (tell
            && States.has(task.framework.info, FrameworkInfo.Capability.Type.TASK_KILLING_STATE)) {
          updates.tell(task, updates.fromExecutor(task, TaskState.TASK_KILLING));
        }
        beginKill(task);
      } else {
        containers.destroy(task);
      }
      return;
    }
    Duration passed = Duration.ofNanos(System.nanoTime() - task.killBegan);
    if (task.started && grace.compareTo(task.grace) < 0) {
      task.grace = grace;
      Duration rest = grace.minus(passed);
      armKill(task, rest.isNegative() ? Duration.ZERO : rest);
    }
  }

  private void beginKill(CommandTask task) {
    task.killBegan = System.nanoTime();
    containers.terminate(task);
    armKill(task, task.grace);
  }

  private void armKill(CommandTask task, Duration wait) {
    task.killTimer.cancel();
    task.killTimer =
        loop.schedule(
            wait,
            () -> {
              if (!task.ended) {
                LOG.info("Task '{}' did not end within its grace and is killed", task.id());
                containers.destroy(task);
              }
            });
  }
}
