package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.agent.checks.TaskChecks;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.ResourceFormatException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Mesos has a process of its own for: starts the command of a task, kills it with its grace,
 * has it checked, and says what becomes of it (rules 198 to 207). For the event loop only.
 */
final class CommandRun implements ExecutorRun, TaskContainers.Listener, TaskChecks.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(CommandRun.class);
  private static final Duration DEFAULT_KILL_GRACE = Duration.ofSeconds(3);

  /** The part of the shutdown grace that a command executor keeps for itself (rule 203). */
  private static final Duration RESERVED_GRACE = Duration.ofSeconds(2);

  /** How far its container is. */
  private enum Container {
    NONE,
    ASKED_FOR,
    RUNS
  }

  /** Why the task is to end, if it is. */
  private enum Cause {
    ITSELF,
    KILLED,
    OUT_OF_TIME,
    /** What was asked to be checked cannot be. */
    UNCHECKABLE
  }

  private final AgentExecutor executor;
  private final ExecutorHost host;
  private Map<String, String> added = Map.of();
  private Container container = Container.NONE;
  private Cause cause = Cause.ITSELF;
  private AgentTask task;
  private long pid;
  private String uncheckable = "";

  /** The grace that was asked for while its container was being made. */
  private Duration wanted = Duration.ZERO;

  /** How the container ended, if that was known before its start was. */
  private Optional<Termination> earlyEnd = Optional.empty();

  private final Ending ending;
  private Timer completionTimer = () -> {};

  CommandRun(AgentExecutor executor) {
    this.executor = executor;
    this.host = executor.host();
    this.ending =
        new Ending(
            host.timers(),
            () -> host.containers().terminate(executor.containerId),
            this::outOfGrace);
  }

  /** The executor that Mesos would have made for a command task (rule 197). */
  static ExecutorInfo executorOf(FrameworkInfo framework, TaskInfo task) {
    String id = task.getTaskId().getValue();
    String command =
        task.getCommand().getShell()
            ? "sh -c '" + cut(task.getCommand().getValue()) + "'"
            : cut(
                "["
                    + task.getCommand().getValue()
                    + ", "
                    + String.join(", ", task.getCommand().getArgumentsList())
                    + "]");
    return ExecutorInfo.newBuilder()
        .setExecutorId(ExecutorID.newBuilder().setValue(id))
        .setFrameworkId(framework.getId())
        .setName("Command Executor (Task: " + id + ") (Command: " + command + ")")
        .setSource(id)
        .build();
  }

  private static String cut(String text) {
    return text.length() <= 15 ? text : text.substring(0, 12) + "...";
  }

  // Launching.

  @Override
  public void start(List<AgentTask> first, Map<String, String> variables) {
    added = variables;
  }

  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public void launch(Batch batch) {
    task = batch.tasks.get(0);
    LaunchRequest request;
    TaskVolumes volumes;
    try {
      volumes = executor.volumesWith(batch.tasks);
      request = host.containers().request(task, added, volumes);
    } catch (ResourceFormatException | IOException | RuntimeException e) {
      executor.failed(e.getMessage());
      return;
    }
    host.sandboxes().show(executor, task.user(), volumes);
    task.checks = host.checking().of(task, added, () -> pid, this);
    container = Container.ASKED_FOR;
    if (startsAtOnce()) {
      // Its acknowledgement travels while the process is being made, so that RUNNING need not wait.
      starting(task.containerStatus.toBuilder());
    }
    host.containers().launch(request, volumes, this);
  }

  /** Whether nothing that may take time or be refused comes before the task's process. */
  private boolean startsAtOnce() {
    return task.info.getCommand().getUrisCount() == 0
        && !executor.rootRefused
        && task.user().map(System.getProperty("user.name")::equals).orElse(true);
  }

  @Override
  public void resume(
      List<AgentTask> tasks,
      Function<String, Optional<Containerizer.Recovered>> containers,
      String why) {
    Optional<Containerizer.Recovered> left = containers.apply(executor.containerId);
    task = tasks.get(0);
    if (task.killedUntil.isPresent()) {
      cause = Cause.KILLED;
      wanted = task.killedRest();
    }
    if (left.isEmpty()) {
      executor.over(
          -1,
          ended ->
              host.updates()
                  .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
                  .setReason(Reason.REASON_EXECUTOR_TERMINATED)
                  .setMessage(why));
      return;
    }
    task.checks = host.checking().of(task, added, () -> pid, this);
    container = left.get().adopted() ? Container.ASKED_FOR : Container.RUNS;
    host.containers().resume(left.get(), this);
  }

  private void starting(ContainerStatus.Builder status) {
    task.containerStatus = host.containers().addressed(status);
    if (task.task.getState() == TaskState.TASK_STAGING) {
      executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_STARTING));
    }
  }

  private boolean ended() {
    return executor.phase() == AgentExecutor.Phase.TERMINATED;
  }

  @Override
  public void started(long first, ContainerStatus status) {
    if (ended()) {
      return;
    }
    pid = first;
    container = Container.RUNS;
    starting(
        (status == null ? task.containerStatus : status).toBuilder().setExecutorPid((int) pid));
    if (task.task.getState() == TaskState.TASK_STARTING) {
      executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_RUNNING));
    }
    if (task.info.hasMaxCompletionTime()) {
      completionTimer = host.timers().apply(task.completionRest(), this::outOfTime);
    }
    if (earlyEnd.isPresent()) {
      terminated(earlyEnd.get());
    } else if (cause == Cause.KILLED) {
      ending.within(wanted);
    } else {
      task.checks.start();
    }
  }

  // Looking after it.

  @Override
  public void checked() {
    executor.tell(
        task,
        host.updates()
            .fromExecutor(task, TaskState.TASK_RUNNING)
            .setReason(Reason.REASON_TASK_CHECK_STATUS_UPDATED));
  }

  @Override
  public void health(boolean healthy, boolean kill, String message) {
    executor.tell(
        task,
        host.updates()
            .fromExecutor(task, TaskState.TASK_RUNNING)
            .setReason(Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED)
            .setMessage(message));
    if (kill) {
      LOG.info("Task '{}' is not healthy and is killed", task.id());
      kill(task, KillPolicy.getDefaultInstance());
    }
  }

  @Override
  public void impossible(String reason) {
    if (!ended() && cause == Cause.ITSELF) {
      LOG.warn("Task '{}' is ended: {}", task.id(), reason);
      cause = Cause.UNCHECKABLE;
      uncheckable = reason;
      host.containers().destroy(executor.containerId);
    }
  }

  private void outOfTime() {
    if (!ended()) {
      LOG.info("Task '{}' has run for its max_completion_time and is killed", task.id());
      cause = Cause.OUT_OF_TIME;
      task.checks.stop();
      host.containers().destroy(executor.containerId);
    }
  }

  @Override
  public void failed(String message) {
    if (ended()) {
      return;
    }
    ending.over();
    if (cause == Cause.KILLED) {
      executor.over(-1, executor::killedBeforeLaunch);
    } else {
      executor.failed(message);
    }
  }

  // Ending.

  @Override
  public void terminated(Termination end) {
    if (ended()) {
      return;
    }
    if (container != Container.RUNS) {
      // What is told of its start is on its way here.
      earlyEnd = Optional.of(end);
      return;
    }
    ending.over();
    completionTimer.cancel();
    task.checks.stop();
    executor.over(end.waitStatus().orElse(-1), ended -> last(end));
  }

  private TaskStatus.Builder last(Termination end) {
    if (end.limitation().isPresent()) {
      return host.updates().limited(task, end.limitation().get());
    }
    if (end.waitStatus().isEmpty() && cause == Cause.ITSELF) {
      return host.updates()
          .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
          .setReason(Reason.REASON_EXECUTOR_TERMINATED)
          .setMessage("Command " + end.describe());
    }
    TaskState state =
        switch (cause) {
          case OUT_OF_TIME, UNCHECKABLE -> TaskState.TASK_FAILED;
          case KILLED -> TaskState.TASK_KILLED;
          case ITSELF -> end.succeeded() ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
        };
    TaskStatus.Builder status =
        host.updates().fromExecutor(task, state).setMessage("Command " + end.describe());
    if (cause == Cause.OUT_OF_TIME) {
      status.setReason(Reason.REASON_MAX_COMPLETION_TIME_REACHED);
    } else if (cause == Cause.UNCHECKABLE) {
      status.setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED).setMessage(uncheckable);
    }
    return status;
  }

  // Killing.

  /**
   * How long a kill waits (rule 201).
   *
   * @param policy of the kill; where it says nothing the task's counts, else the default
   */
  static Duration grace(TaskInfo task, KillPolicy policy) {
    if (policy.hasGracePeriod()) {
      return Duration.ofNanos(policy.getGracePeriod().getNanoseconds());
    }
    return task.getKillPolicy().hasGracePeriod()
        ? Duration.ofNanos(task.getKillPolicy().getGracePeriod().getNanoseconds())
        : DEFAULT_KILL_GRACE;
  }

  @Override
  public void kill(AgentTask killed, KillPolicy policy) {
    kill(grace(killed.info, policy));
  }

  @Override
  public void shutdown(Duration grace) {
    Duration own = grace.minus(RESERVED_GRACE);
    kill(own.isNegative() ? Duration.ZERO : own);
  }

  private void kill(Duration grace) {
    if (cause == Cause.OUT_OF_TIME || cause == Cause.UNCHECKABLE) {
      return;
    }
    boolean again = cause == Cause.KILLED;
    cause = Cause.KILLED;
    if (task != null) {
      task.checks.stop();
      task.killedWithin(grace);
    }
    if (container != Container.RUNS) {
      if (!again) {
        wanted = grace;
        host.containers().destroy(executor.containerId);
      }
      return;
    }
    if (!again
        && States.has(executor.framework.info, FrameworkInfo.Capability.Type.TASK_KILLING_STATE)) {
      executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_KILLING));
    }
    ending.within(grace);
  }

  private void outOfGrace() {
    if (!ended()) {
      LOG.info("Task '{}' did not end within its grace and is killed", task.id());
      host.containers().destroy(executor.containerId);
    }
  }

  @Override
  public CompletionStage<?> destroy() {
    return host.containers().destroy(executor.containerId);
  }

  @Override
  public boolean message(ByteString data) {
    // A command has nobody to take it.
    return false;
  }
}
