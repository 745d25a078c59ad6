package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.agent.checks.TaskChecks;
import org.mezzo.agent.updates.States;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.Containerizer.Limitation;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The command of a task that the agent runs itself, in a container of its own: how far that is, why
 * it is to end, and what is told of it. What a task by itself and one of a group have in common is
 * here; how they differ in words, and what their end means to others, is their own. For the event
 * loop only.
 */
abstract class RunningCommand implements TaskContainers.Listener, TaskChecks.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(RunningCommand.class);
  private static final Duration DEFAULT_KILL_GRACE = Duration.ofSeconds(3);

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
    OUT_OF_TIME,
    /** What it was lent is taken back. */
    PREEMPTED,
    /** What was asked to be checked cannot be. */
    UNCHECKABLE
  }

  final AgentTask task;
  final ContainerId containerId;
  final AgentExecutor executor;
  final ExecutorHost host;
  private final Ending ending;
  private Container container = Container.NONE;
  private Cause cause = Cause.ITSELF;
  private long pid;
  private String uncheckable = "";

  /** What is told of it in the end where it was preempted. */
  private Optional<TaskStatus.Builder> preempted = Optional.empty();

  private Timer completionTimer = () -> {};

  /** The grace that was asked for while its container was being made. */
  private Duration wanted = Duration.ZERO;

  /** How the container ended, if that was known before its start was. */
  private Optional<Termination> earlyEnd = Optional.empty();

  /** Nothing told of it yet. */
  RunningCommand(AgentTask task, ContainerId containerId) {
    this.task = task;
    this.containerId = containerId;
    executor = task.executor;
    host = executor.host();
    ending =
        new Ending(host.timers(), () -> host.containers().terminate(containerId), this::outOfGrace);
  }

  /**
   * How long a kill waits (rules 201, 219).
   *
   * @param policy of the kill; where it says nothing the task's counts, else the default
   */
  static Duration grace(KillPolicy task, KillPolicy policy) {
    for (KillPolicy each : new KillPolicy[] {policy, task}) {
      if (each.hasGracePeriod()) {
        return Duration.ofNanos(each.getGracePeriod().getNanoseconds());
      }
    }
    return DEFAULT_KILL_GRACE;
  }

  // What is its own.

  /** Where its command runs. */
  abstract Path sandbox();

  /** What is told of its container, made of what the containerizer knows. */
  abstract ContainerStatus told(ContainerStatus.Builder known);

  /** Its container is gone; what is told of it from now on may differ. */
  void atEnd() {}

  /** It could not be launched; says so. */
  abstract void notLaunched(String message);

  /** The end of a task whose container reached a limit. */
  abstract TaskStatus.Builder limited(String message, Limitation limit);

  /** The end of a task of which nobody saw how its command ended. */
  abstract TaskStatus.Builder unseen(String message);

  /** Somebody asks again for its kill. */
  abstract void killAgain(Duration grace);

  /**
   * It is over, with its container gone or never made.
   *
   * @param waitStatus raw, -1 when it is not known
   */
  abstract void over(int waitStatus, TaskStatus.Builder last);

  // Launching.

  private boolean isOver() {
    return container == Container.GONE || executor.phase() == AgentExecutor.Phase.TERMINATED;
  }

  /** Its container is going to be asked for. */
  void asking() {
    check();
    container = Container.ASKED_FOR;
  }

  private void check() {
    task.checks = host.checking().of(task, containerId, sandbox(), () -> pid, this);
  }

  /** Whether nothing of its container was asked for, nor will be. */
  boolean waits() {
    return container == Container.NONE;
  }

  /** Notes what an earlier process of the agent left of its container. */
  void found(Optional<Containerizer.Recovered> left) {
    container =
        left.map(it -> it.adopted() ? Container.ASKED_FOR : Container.RUNS).orElse(Container.NONE);
    if (task.killedUntil.isPresent()) {
      cause = Cause.KILLED;
      wanted = task.killedRest();
    }
  }

  /** Goes on with that; false where nothing is left, or it is over meanwhile. */
  boolean resume(Optional<Containerizer.Recovered> left, String why) {
    if (isOver()) {
      return false;
    }
    if (left.isEmpty()) {
      end(
          -1,
          host.updates()
              .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
              .setReason(Reason.REASON_EXECUTOR_TERMINATED)
              .setMessage(why));
      return false;
    }
    check();
    int last = task.task.getStatusesCount() - 1;
    if (last >= 0) {
      task.checks.recall(task.task.getStatuses(last), task.healthFailures);
    }
    host.containers().resume(left.get(), this);
    return true;
  }

  /** It is on its way; told once. */
  void starting(ContainerStatus.Builder known) {
    task.containerStatus = told(known);
    if (task.task.getState() == TaskState.TASK_STAGING) {
      executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_STARTING));
    }
  }

  @Override
  public final void started(long first, ContainerStatus status) {
    if (isOver()) {
      return;
    }
    pid = first;
    container = Container.RUNS;
    Duration ran = task.ranFor();
    running((status == null ? task.containerStatus : status).toBuilder().setExecutorPid((int) pid));
    if (task.info.hasMaxCompletionTime()) {
      completionTimer = host.timers().apply(task.completionRest(), this::outOfTime);
    }
    if (earlyEnd.isPresent()) {
      terminated(earlyEnd.get());
    } else if (cause == Cause.KILLED) {
      ending.within(wanted);
    } else if (cause != Cause.PREEMPTED) {
      task.checks.start(ran);
    }
  }

  /** It runs, or did; told once. */
  private void running(ContainerStatus.Builder known) {
    starting(known);
    if (task.task.getState() == TaskState.TASK_STARTING) {
      executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_RUNNING));
    }
  }

  @Override
  public final void failed(String message) {
    if (isOver()) {
      return;
    }
    if (preempted.isPresent()) {
      end(-1, preempted.get());
    } else if (cause == Cause.KILLED) {
      end(-1, executor.killedBeforeLaunch(task));
    } else {
      leave();
      notLaunched(message);
    }
  }

  // Looking after it.

  @Override
  public final void checked() {
    executor.tell(
        task,
        host.updates()
            .fromExecutor(task, TaskState.TASK_RUNNING)
            .setReason(Reason.REASON_TASK_CHECK_STATUS_UPDATED));
  }

  @Override
  public final void health(boolean healthy, boolean kill, String message) {
    task.healthFailures = task.checks.failures();
    executor.tell(
        task,
        host.updates()
            .fromExecutor(task, TaskState.TASK_RUNNING)
            .setReason(Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED)
            .setMessage(message));
    if (kill) {
      LOG.info("Task '{}' is not healthy and is killed", task.id());
      kill(grace(task.info.getKillPolicy(), KillPolicy.getDefaultInstance()));
    }
  }

  @Override
  public final void impossible(String reason) {
    if (begin(Cause.UNCHECKABLE)) {
      LOG.warn("Task '{}' is ended: {}", task.id(), reason);
      uncheckable = reason;
      host.containers().destroy(containerId);
    }
  }

  private void outOfTime() {
    if (begin(Cause.OUT_OF_TIME)) {
      LOG.info("Task '{}' has run for its max_completion_time and is killed", task.id());
      host.containers().destroy(containerId);
    }
  }

  // Ending.

  /** Notes that it is to end with those words, unless it is to end already. */
  final void preempt(TaskStatus.Builder last) {
    if (begin(Cause.PREEMPTED)) {
      preempted = Optional.of(last);
    }
  }

  /** Ends it without any grace. */
  final void destroy() {
    switch (container) {
      case NONE -> end(-1, preempted.orElseGet(() -> executor.killedBeforeLaunch(task)));
      case ASKED_FOR, RUNS -> host.containers().destroy(containerId);
      case GONE -> {}
    }
  }

  /** Kills it, or hears that somebody asks again. */
  final void kill(Duration grace) {
    if (begin(Cause.KILLED)) {
      end(grace);
    } else if (cause == Cause.KILLED && container != Container.GONE) {
      killAgain(grace);
    }
  }

  /** Notes why it is to end; false if it is to end already, or has ended. */
  final boolean begin(Cause why) {
    if (isOver() || cause != Cause.ITSELF) {
      return false;
    }
    cause = why;
    task.checks.stop();
    return true;
  }

  /** Ends it, within that time if its container runs. */
  final void end(Duration grace) {
    task.killedWithin(grace);
    switch (container) {
      case NONE -> end(-1, executor.killedBeforeLaunch(task));
      case ASKED_FOR -> {
        // Where its start is told first all the same, it gets what was asked for.
        wanted = grace;
        host.containers().destroy(containerId);
      }
      case RUNS -> {
        if (States.has(executor.framework.info, FrameworkInfo.Capability.Type.TASK_KILLING_STATE)) {
          executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_KILLING));
        }
        ending.within(grace);
      }
      case GONE -> {}
    }
  }

  /** Shortens the grace of a kill, if it runs. */
  final void hurry(Duration grace) {
    task.killedWithin(grace);
    if (container == Container.RUNS) {
      ending.within(grace);
    }
  }

  private void outOfGrace() {
    LOG.info("Task '{}' did not end within its grace and is killed", task.id());
    host.containers().destroy(containerId);
  }

  @Override
  public final void terminated(Termination end) {
    if (isOver()) {
      return;
    }
    if (container != Container.RUNS) {
      // What is told of its start is on its way here.
      earlyEnd = Optional.of(end);
      return;
    }
    if (end.exitStatus().isPresent()) {
      // The agent that saw it run may have ended before it could say so.
      running(task.containerStatus.toBuilder());
    }
    atEnd();
    end(end.waitStatus().orElse(-1), last(end));
  }

  private void end(int waitStatus, TaskStatus.Builder last) {
    leave();
    over(waitStatus, last);
  }

  private void leave() {
    container = Container.GONE;
    ending.over();
    completionTimer.cancel();
    task.checks.stop();
  }

  private TaskStatus.Builder last(Termination end) {
    String message = "Command " + end.describe();
    if (preempted.isPresent()) {
      return preempted.get();
    }
    if (end.limitation().isPresent()) {
      return limited(message, end.limitation().get());
    }
    if (end.waitStatus().isEmpty() && cause == Cause.ITSELF) {
      return unseen(message);
    }
    TaskState state =
        switch (cause) {
          case OUT_OF_TIME, UNCHECKABLE -> TaskState.TASK_FAILED;
          case KILLED, PREEMPTED -> TaskState.TASK_KILLED;
          case ITSELF -> end.succeeded() ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
        };
    TaskStatus.Builder status = host.updates().fromExecutor(task, state).setMessage(message);
    if (cause == Cause.OUT_OF_TIME) {
      status
          .setReason(Reason.REASON_MAX_COMPLETION_TIME_REACHED)
          .setMessage(
              message
                  + ": it had run for its max_completion_time, "
                  + task.info.getMaxCompletionTime().getNanoseconds() / 1e9
                  + " s");
    } else if (cause == Cause.UNCHECKABLE) {
      status.setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED).setMessage(uncheckable);
    }
    return status;
  }
}
