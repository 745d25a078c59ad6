package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.updates.States;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.ResourceFormatException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task of a group with the container it runs in, which the framework knows as nested in that of
 * the executor (rules 212 to 219). For the event loop only.
 */
final class GroupTask implements TaskContainers.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(GroupTask.class);

  /** How far its container is. */
  private enum Container {
    NONE,
    ASKED_FOR,
    RUNS,
    GONE
  }

  /** Why the task is to end, if it is. */
  enum Cause {
    ITSELF,
    KILLED,
    OUT_OF_TIME
  }

  final AgentTask task;
  final String containerId;
  private final DefaultRun run;
  private final AgentExecutor executor;
  private final ExecutorHost host;
  private final List<GroupTask> group;
  private final ContainerStatus named;
  private final Ending ending;
  private Container container = Container.NONE;
  private Cause cause = Cause.ITSELF;
  private Duration grace = Duration.ZERO;
  private Timer completionTimer = () -> {};

  /** How the container ended, if that was known before its start was. */
  private Optional<Termination> earlyEnd = Optional.empty();

  /**
   * Nothing told of it yet.
   *
   * @param group all that start together, this one as well
   */
  GroupTask(DefaultRun run, AgentTask task, String containerId, List<GroupTask> group) {
    this.run = run;
    this.task = task;
    this.containerId = containerId;
    this.group = group;
    executor = run.executor();
    host = executor.host();
    named =
        ContainerStatus.newBuilder()
            .setContainerId(
                ContainerID.newBuilder()
                    .setValue(containerId)
                    .setParent(ContainerID.newBuilder().setValue(executor.containerId)))
            .build();
    task.containerStatus = named;
    ending =
        new Ending(
            host.timers(),
            () -> host.containers().terminate(containerId),
            () -> {
              LOG.info("Task '{}' did not end within its grace and is killed", task.id());
              host.containers().destroy(containerId);
            });
  }

  // Launching.

  /** It is on its way, which is told before anything of it is made (rule 213). */
  void starting() {
    executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_STARTING));
  }

  /** Has its container made, unless it was killed meanwhile. */
  void launch() {
    if (container != Container.NONE) {
      return;
    }
    Path sandbox = SandboxPaths.nested(executor.sandbox, containerId);
    LaunchRequest request;
    try {
      request = host.containers().nested(task, containerId, sandbox);
    } catch (ResourceFormatException | RuntimeException e) {
      failed(e.getMessage());
      return;
    }
    host.sandboxes().showNested(task, sandbox);
    container = Container.ASKED_FOR;
    host.containers().launchNested(request, task, this);
  }

  /** Notes what an earlier process of the agent left of its container. */
  void found(Optional<Containerizer.Recovered> left) {
    container =
        left.map(it -> it.adopted() ? Container.ASKED_FOR : Container.RUNS).orElse(Container.NONE);
    if (task.killedUntil.isPresent()) {
      cause = Cause.KILLED;
      grace = task.killedRest();
    }
  }

  /** Goes on with that. */
  void resume(Optional<Containerizer.Recovered> left, String why) {
    if (container == Container.GONE) {
      return;
    }
    if (left.isEmpty()) {
      over(
          host.updates()
              .fromExecutor(task, TaskState.TASK_FAILED)
              .setReason(Reason.REASON_EXECUTOR_TERMINATED)
              .setMessage(why));
      return;
    }
    host.sandboxes().showNested(task, SandboxPaths.nested(executor.sandbox, containerId));
    host.containers().resume(left.get(), this);
  }

  @Override
  public void started(long pid, ContainerStatus status) {
    if (container == Container.GONE) {
      return;
    }
    container = Container.RUNS;
    task.containerStatus =
        host.containers()
            .addressed(
                (status == null ? named : status)
                    .toBuilder().setContainerId(named.getContainerId()).setExecutorPid((int) pid));
    if (task.task.getState() == TaskState.TASK_STARTING) {
      executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_RUNNING));
    }
    if (task.info.hasMaxCompletionTime()) {
      completionTimer = host.timers().apply(task.completionRest(), this::outOfTime);
    }
    if (earlyEnd.isPresent()) {
      terminated(earlyEnd.get());
    } else if (cause == Cause.KILLED) {
      ending.within(grace);
    }
  }

  @Override
  public void failed(String message) {
    if (container == Container.GONE) {
      return;
    }
    if (cause == Cause.KILLED) {
      over(executor.killedBeforeLaunch(task));
    } else {
      LOG.warn("Task '{}' could not be launched: {}", task.id(), message);
      host.launchErrors().increment();
      over(
          host.updates()
              .fromExecutor(task, TaskState.TASK_FAILED)
              .setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED)
              .setMessage("Failed to launch container: " + message));
    }
  }

  // Ending.

  private void outOfTime() {
    if (begin(Cause.OUT_OF_TIME)) {
      LOG.info("Task '{}' has run for its max_completion_time and is killed", task.id());
      host.containers().destroy(containerId);
    }
  }

  /** Kills it; who asks again changes nothing (rule 219). */
  void kill(Duration wanted) {
    if (begin(Cause.KILLED)) {
      end(wanted);
    }
  }

  /** Notes why it is to end; false if it is to end already, or has ended. */
  boolean begin(Cause why) {
    if (container == Container.GONE || cause != Cause.ITSELF) {
      return false;
    }
    cause = why;
    return true;
  }

  /** Ends it. */
  void end(Duration wanted) {
    task.killedWithin(wanted);
    switch (container) {
      case NONE -> over(executor.killedBeforeLaunch(task));
      case ASKED_FOR -> {
        // Where its start is told first all the same, it gets what was asked for.
        grace = wanted;
        host.containers().destroy(containerId);
      }
      case RUNS -> {
        if (States.has(executor.framework.info, FrameworkInfo.Capability.Type.TASK_KILLING_STATE)) {
          executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_KILLING));
        }
        ending.within(wanted);
      }
      case GONE -> {}
    }
  }

  @Override
  public void terminated(Termination end) {
    if (container == Container.GONE) {
      return;
    }
    if (container != Container.RUNS) {
      // What is told of its start is on its way here.
      earlyEnd = Optional.of(end);
      return;
    }
    task.containerStatus = named;
    over(last(end));
  }

  private TaskStatus.Builder last(Termination end) {
    String message = "Command " + end.describe();
    TaskState state =
        switch (cause) {
          case OUT_OF_TIME -> TaskState.TASK_FAILED;
          case KILLED -> TaskState.TASK_KILLED;
          case ITSELF -> end.succeeded() ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
        };
    TaskStatus.Builder status = host.updates().fromExecutor(task, state).setMessage(message);
    if (end.limitation().isPresent()) {
      Containerizer.Limitation limit = end.limitation().get();
      status.mergeFrom(
          host.updates()
              .limited(task, limit)
              .clearSource()
              .setMessage(message + ": " + limit.message())
              .build());
    } else if (cause == Cause.OUT_OF_TIME) {
      status.setReason(Reason.REASON_MAX_COMPLETION_TIME_REACHED);
    }
    return status;
  }

  private void over(TaskStatus.Builder status) {
    container = Container.GONE;
    ending.over();
    completionTimer.cancel();
    executor
        .tell(task, status)
        .whenComplete((told, failure) -> host.containers().forget(containerId));
    run.ended(this, group);
  }
}
