package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.updates.States;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.link.messages.AcknowledgeUpdate;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.ReconcileTasks;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks of this agent by framework: has commands run as by an executor of their own (rules 198
 * to 205), and says what becomes of them. For the event loop only, unless said otherwise.
 */
public final class AgentTasks {
  private static final Logger LOG = LoggerFactory.getLogger(AgentTasks.class);

  /** The part of the shutdown grace that a command executor keeps for itself (rule 203). */
  private static final Duration RESERVED_GRACE = Duration.ofSeconds(2);

  private static final int MOST_COMPLETED_FRAMEWORKS = 50;

  /**
   * What bounds tasks.
   *
   * @param shutdownGrace {@code --executor_shutdown_grace_period}
   * @param completedExecutors {@code --max_completed_executors_per_framework}
   */
  public record Limits(Duration shutdownGrace, int completedExecutors) {}

  /** An executor as {@code /state} shows it. Immutable. */
  public record ExecutorView(
      String id,
      String name,
      String containerId,
      Path sandbox,
      List<Task> tasks,
      List<Task> completedTasks) {}

  /** A framework as {@code /state} shows it. Immutable. */
  public record FrameworkView(
      FrameworkInfo info, List<ExecutorView> executors, List<ExecutorView> completedExecutors) {}

  /** Everything at one moment. Immutable. */
  public record View(List<FrameworkView> frameworks, List<FrameworkView> completed) {}

  private final EventLoop loop;
  private final CommandExecutor commands;
  private final TaskContainers containers;
  private final TaskSandboxes sandboxes;
  private final TaskUpdates updates;
  private final AgentHooks hooks;
  private final Limits limits;
  private final Map<String, FrameworkEntry> frameworks = new LinkedHashMap<>();
  private final AtomicInteger frameworkCount = new AtomicInteger();
  private final Deque<FrameworkView> completed = new ArrayDeque<>();
  private final Metrics.Counter invalidMessages;
  private final Metrics.Counter executorsTerminated;
  private final Map<String, Long> used = new ConcurrentHashMap<>();
  private AgentInfo agent = AgentInfo.newBuilder().setHostname("").build();
  private String resourceVersion = "";

  /** No task yet. */
  public AgentTasks(
      EventLoop loop,
      TaskContainers containers,
      TaskSandboxes sandboxes,
      TaskUpdates updates,
      AgentHooks hooks,
      Metrics metrics,
      Limits limits) {
    this.loop = loop;
    this.containers = containers;
    this.sandboxes = sandboxes;
    this.updates = updates;
    this.hooks = hooks;
    this.limits = limits;
    commands = new CommandExecutor(loop, containers, sandboxes, updates, metrics, this::finished);
    invalidMessages = metrics.counter("slave/invalid_framework_messages");
    executorsTerminated = metrics.counter("slave/executors_terminated");
    metrics.gauge("slave/frameworks_active", frameworkCount::get);
  }

  /** The agent as it is registered now, with its id. */
  public void agent(AgentInfo registered, String version) {
    agent = registered;
    resourceVersion = version;
    updates.agent(registered.getId());
  }

  // Launching.

  /** Launches tasks; what cannot be launched is answered with an update. */
  public void run(RunTask message) {
    FrameworkEntry framework =
        frameworks.computeIfAbsent(
            message.getFramework().getId().getValue(),
            id -> new FrameworkEntry(message.getFramework()));
    framework.info = message.getFramework();
    frameworkCount.set(frameworks.size());
    for (TaskInfo task : message.getTasksList()) {
      try {
        run(framework, message, task);
      } catch (RuntimeException | LinkageError e) {
        failUnexpectedly(framework, task, e);
      }
    }
    removeIfIdle(framework);
  }

  /** A launch that ran into a mistake is told of, and the others go on. */
  private void failUnexpectedly(FrameworkEntry framework, TaskInfo info, Throwable e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    LOG.error("Launching task '{}' failed", info.getTaskId().getValue(), cause);
    CommandTask task = framework.tasks.get(info.getTaskId().getValue());
    if (task != null) {
      commands.failed(task, cause.toString());
    } else {
      updates.refuse(
          framework,
          info,
          TaskState.TASK_FAILED,
          Reason.REASON_CONTAINER_LAUNCH_FAILED,
          "Failed to launch container: " + cause);
    }
  }

  private void run(FrameworkEntry framework, RunTask message, TaskInfo info) {
    if (framework.terminating) {
      LOG.warn(
          "Task '{}' is not launched: framework {} is being shut down",
          info.getTaskId().getValue(),
          framework.id());
      return;
    }
    if (message.hasResourceVersionUuid()
        && !message.getResourceVersionUuid().isEmpty()
        && !message.getResourceVersionUuid().equals(resourceVersion)) {
      updates.refuse(
          framework,
          info,
          States.forFramework(framework.info, TaskState.TASK_DROPPED),
          Reason.REASON_INVALID_OFFERS,
          "The agent's resources have changed since the offer was made");
      return;
    }
    if (framework.tasks.containsKey(info.getTaskId().getValue())) {
      updates.refuse(
          framework,
          info,
          States.forFramework(framework.info, TaskState.TASK_DROPPED),
          Reason.REASON_TASK_INVALID,
          "A task with the id '" + info.getTaskId().getValue() + "' is on this agent already");
      return;
    }
    if (message.hasGroupExecutor() || info.hasExecutor() || !info.hasCommand()) {
      updates.refuse(
          framework,
          info,
          TaskState.TASK_FAILED,
          Reason.REASON_CONTAINER_LAUNCH_FAILED,
          message.hasGroupExecutor()
              ? "This agent does not run task groups yet; launch its tasks as commands"
              : "This agent does not run custom executors yet; give the task a command instead");
      return;
    }
    Optional<String> refusal = TaskDemands.refusal(info);
    if (refusal.isPresent()) {
      updates.refuse(
          framework,
          info,
          TaskState.TASK_FAILED,
          Reason.REASON_CONTAINER_LAUNCH_FAILED,
          refusal.get());
      return;
    }
    if (info.hasHealthCheck() || info.hasCheck()) {
      LOG.warn(
          "Task '{}' has a check or health check, which this agent does not run yet; it is ignored",
          info.getTaskId().getValue());
    }
    String container = UUID.randomUUID().toString();
    CommandTask task =
        new CommandTask(
            framework,
            info,
            container,
            sandboxes.choose(
                agent.getId().getValue(), framework.id(), info.getTaskId().getValue(), container));
    task.rootRefused = message.getRootRefused();
    framework.tasks.put(task.id(), task);
    updates.staged(task);
    use(task, 1);
    if (hooks.isEmpty()) {
      commands.launch(task, Map.of());
      return;
    }
    hooks
        .runTaskLabels(info, framework.info, agent)
        .thenCompose(
            labelled -> {
              task.relabel(labelled);
              return hooks.taskEnvironment(labelled);
            })
        .thenAcceptAsync(added -> commands.launch(task, added), loop)
        .whenCompleteAsync(
            (done, failure) -> {
              if (failure != null) {
                failUnexpectedly(framework, info, failure);
              }
            },
            loop);
  }

  // Ending.

  private void finished(CommandTask task) {
    use(task, -1);
    executorsTerminated.increment();
    hooks.taskRemoved(task.framework.info.getId(), task.info);
    // Not before the last of its processes is gone.
    containers.destroy(task).whenComplete((gone, failure) -> sandboxes.leave(task.sandbox));
    if (task.framework.terminating) {
      updates.endUntold(task);
      task.acknowledged = true;
      removeIfDone(task);
    }
  }

  private void removeIfDone(CommandTask task) {
    if (!task.ended || !task.acknowledged) {
      return;
    }
    FrameworkEntry framework = task.framework;
    if (framework.tasks.remove(task.id(), task)) {
      framework.completed.add(view(task));
      while (framework.completed.size() > limits.completedExecutors()) {
        framework.completed.removeFirst();
      }
      removeIfIdle(framework);
    }
  }

  private void removeIfIdle(FrameworkEntry framework) {
    if (framework.tasks.isEmpty() && frameworks.remove(framework.id(), framework)) {
      frameworkCount.set(frameworks.size());
      if (framework.completed.isEmpty()) {
        return;
      }
      completed.removeIf(view -> view.info().getId().equals(framework.info.getId()));
      completed.add(view(framework));
      while (completed.size() > MOST_COMPLETED_FRAMEWORKS) {
        completed.removeFirst();
      }
    }
  }

  /** The framework has an update. */
  public void acknowledged(AcknowledgeUpdate message) {
    Optional<TaskStatus> status = updates.acknowledge(message);
    if (status.isEmpty()) {
      return;
    }
    FrameworkEntry framework = frameworks.get(message.getFrameworkId().getValue());
    CommandTask task =
        framework == null ? null : framework.tasks.get(message.getTaskId().getValue());
    if (task == null) {
      return;
    }
    task.task =
        task.task.toBuilder()
            .setStatusUpdateState(status.get().getState())
            .setStatusUpdateUuid(status.get().getUuid())
            .build();
    if (States.terminal(status.get().getState())) {
      task.acknowledged = true;
      removeIfDone(task);
    }
  }

  // Killing.

  /** Kills a task (rules 113, 201 and 202). */
  public void kill(KillTask message) {
    FrameworkEntry framework = frameworks.get(message.getFrameworkId().getValue());
    if (framework == null) {
      LOG.warn(
          "Ignored the kill of task '{}': framework {} has nothing here",
          message.getTaskId().getValue(),
          message.getFrameworkId().getValue());
      return;
    }
    CommandTask task = framework.tasks.get(message.getTaskId().getValue());
    if (task == null) {
      updates.tell(
          framework.info.getId(),
          updates
              .fromAgent(
                  message.getTaskId(), States.forFramework(framework.info, TaskState.TASK_DROPPED))
              .setReason(Reason.REASON_EXECUTOR_TERMINATED)
              .setMessage("Unable to find the task on the agent"));
      return;
    }
    commands.kill(task, CommandExecutor.grace(task, message.getKillPolicy()), true);
  }

  /** Kills everything of a framework and forgets it; no updates are sent (rule 112). */
  public void shutdownFramework(FrameworkID id) {
    FrameworkEntry framework = frameworks.get(id.getValue());
    updates.remove(id);
    if (framework == null) {
      return;
    }
    framework.terminating = true;
    for (CommandTask task : List.copyOf(framework.tasks.values())) {
      if (task.ended) {
        task.acknowledged = true;
        removeIfDone(task);
      } else {
        commands.kill(task, shutdownGrace(), false);
      }
    }
  }

  /** Kills the task of a command executor with the grace of a shutdown (rule 203). */
  public void shutdownExecutor(FrameworkID id, String executor) {
    FrameworkEntry framework = frameworks.get(id.getValue());
    CommandTask task = framework == null ? null : framework.tasks.get(executor);
    if (task == null) {
      LOG.warn("Ignored the shutdown of executor '{}': it is not here", executor);
      return;
    }
    commands.kill(task, shutdownGrace(), true);
  }

  private Duration shutdownGrace() {
    Duration grace = limits.shutdownGrace().minus(RESERVED_GRACE);
    return grace.isNegative() ? Duration.ZERO : grace;
  }

  /** Kills every task, with grace, because the agent ends; updates are not sent any more. */
  public void shutdown() {
    for (FrameworkEntry framework : List.copyOf(frameworks.values())) {
      shutdownFramework(framework.info.getId());
    }
  }

  /** Whether no container runs. */
  public boolean idle() {
    return frameworks.values().stream()
        .allMatch(framework -> framework.tasks.values().stream().allMatch(task -> task.ended));
  }

  // The master asks and tells.

  /** Answers for tasks that the master holds and this agent does not (rule 131). */
  public void reconcile(ReconcileTasks message) {
    FrameworkEntry framework = frameworks.get(message.getFrameworkId().getValue());
    boolean aware =
        framework == null
            ? message.getPartitionAware()
            : States.has(framework.info, FrameworkInfo.Capability.Type.PARTITION_AWARE);
    TaskState state = aware ? TaskState.TASK_DROPPED : TaskState.TASK_LOST;
    for (TaskID id : message.getTaskIdsList()) {
      if (framework != null && framework.tasks.containsKey(id.getValue())) {
        continue;
      }
      updates.tell(
          message.getFrameworkId(),
          updates
              .fromAgent(id, state)
              .setReason(Reason.REASON_RECONCILIATION)
              .setMessage("Reconciliation: task unknown to the agent"));
    }
  }

  /** The framework changed; its pending updates are sent again (rule 98). */
  public void updateFramework(FrameworkInfo info) {
    FrameworkEntry framework = frameworks.get(info.getId().getValue());
    if (framework != null) {
      framework.info = info;
    }
    updates.resend(info.getId());
  }

  /** A message for an executor: command tasks have nobody to take it (rule 122). */
  public void message(String executor) {
    invalidMessages.increment();
    LOG.debug("Dropped a message to executor '{}': commands take none", executor);
  }

  /** The frameworks to report when the agent registers again. */
  public List<FrameworkInfo> frameworkInfos() {
    return frameworks.values().stream().map(framework -> framework.info).toList();
  }

  /** The tasks to report when the agent registers again. */
  public List<TaskRecord> records() {
    List<TaskRecord> records = new ArrayList<>();
    for (FrameworkEntry framework : frameworks.values()) {
      for (CommandTask task : framework.tasks.values()) {
        TaskRecord.Builder record = TaskRecord.newBuilder().setTask(task.task);
        updates
            .sentState(framework.info.getId(), task.info.getTaskId())
            .ifPresent(record::setStatusUpdateState);
        records.add(record.build());
      }
    }
    return records;
  }

  // Looking.

  /** How much of a scalar the tasks that have not ended hold. Safe for any thread. */
  public double used(String name) {
    return used.getOrDefault(name, 0L) / 1000.0;
  }

  private void use(CommandTask task, int sign) {
    for (org.mezzo.protocol.v1.Resource resource : task.info.getResourcesList()) {
      if (resource.hasScalar()) {
        used.merge(
            resource.getName(),
            sign * Math.round(resource.getScalar().getValue() * 1000),
            Long::sum);
      }
    }
  }

  /** Everything at this moment. */
  public View view() {
    return new View(
        frameworks.values().stream().map(AgentTasks::view).toList(), List.copyOf(completed));
  }

  private static FrameworkView view(FrameworkEntry framework) {
    return new FrameworkView(
        framework.info,
        framework.tasks.values().stream().map(AgentTasks::view).toList(),
        List.copyOf(framework.completed));
  }

  private static ExecutorView view(CommandTask task) {
    boolean over = States.terminal(task.task.getState());
    return new ExecutorView(
        task.id(),
        task.executorName(),
        task.containerId,
        task.sandbox,
        over ? List.of() : List.of(task.task),
        over ? List.of(task.task) : List.of());
  }
}
