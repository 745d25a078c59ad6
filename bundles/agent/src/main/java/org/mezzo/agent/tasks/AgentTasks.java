package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Clock;
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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.updates.StatusUpdates;
import org.mezzo.api.Metrics;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.link.messages.AcknowledgeUpdate;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.ReconcileTasks;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.TaskStatus.Source;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks of this agent: runs commands in containers, acting as their command executor (rules 198
 * to 205), and says what becomes of them. For the event loop only, unless said otherwise.
 */
public final class AgentTasks {
  private static final Logger LOG = LoggerFactory.getLogger(AgentTasks.class);
  private static final int SIGTERM = 15;
  private static final Duration DEFAULT_KILL_GRACE = Duration.ofSeconds(3);

  /** The part of the shutdown grace that a command executor keeps for itself (rule 203). */
  private static final Duration RESERVED_GRACE = Duration.ofSeconds(2);

  private static final int MOST_COMPLETED_FRAMEWORKS = 50;

  /** What tasks need of their agent. */
  public record Surroundings(
      Executor loop,
      Executor workers,
      BiFunction<Duration, Runnable, Timer> timers,
      Clock clock,
      Containerizer containerizer,
      StatusUpdates updates,
      AgentHooks hooks,
      Metrics metrics,
      VirtualFiles files,
      SandboxPaths paths,
      SandboxCollector collector,
      TaskEnvironment environment,
      Duration shutdownGrace,
      int completedExecutors) {}

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

  private final Surroundings with;
  private final Map<String, FrameworkEntry> frameworks = new LinkedHashMap<>();
  private final AtomicInteger frameworkCount = new AtomicInteger();
  private final Deque<FrameworkView> completed = new ArrayDeque<>();
  private final Map<TaskState, Metrics.Counter> ends;
  private final Metrics.Counter validUpdates;
  private final Metrics.Counter launchErrors;
  private final Metrics.Counter invalidMessages;
  private final Metrics.Counter executorsTerminated;
  private AgentInfo agent = AgentInfo.newBuilder().setHostname("").build();
  private String resourceVersion = "";
  private final Map<String, Long> used = new ConcurrentHashMap<>();
  private final Map<TaskState, AtomicInteger> active = new ConcurrentHashMap<>();

  public AgentTasks(Surroundings with) {
    this.with = with;
    Metrics metrics = with.metrics();
    ends =
        Map.of(
            TaskState.TASK_FINISHED, metrics.counter("slave/tasks_finished"),
            TaskState.TASK_FAILED, metrics.counter("slave/tasks_failed"),
            TaskState.TASK_KILLED, metrics.counter("slave/tasks_killed"),
            TaskState.TASK_LOST, metrics.counter("slave/tasks_lost"),
            TaskState.TASK_GONE, metrics.counter("slave/tasks_gone"));
    validUpdates = metrics.counter("slave/valid_status_updates");
    launchErrors = metrics.counter("slave/container_launch_errors");
    invalidMessages = metrics.counter("slave/invalid_framework_messages");
    executorsTerminated = metrics.counter("slave/executors_terminated");
    metrics.gauge("slave/frameworks_active", frameworkCount::get);
    Map<String, TaskState> gauges =
        Map.of(
            "slave/tasks_staging", TaskState.TASK_STAGING,
            "slave/tasks_starting", TaskState.TASK_STARTING,
            "slave/tasks_running", TaskState.TASK_RUNNING,
            "slave/tasks_killing", TaskState.TASK_KILLING);
    gauges.forEach(
        (name, state) ->
            metrics.gauge(
                name, () -> active.computeIfAbsent(state, k -> new AtomicInteger()).get()));
    metrics.gauge(
        "slave/executors_running",
        () -> active.values().stream().mapToInt(AtomicInteger::get).sum());
  }

  /** The agent as it is registered now, with its id. */
  public void agent(AgentInfo registered, String version) {
    agent = registered;
    resourceVersion = version;
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
      launchFailed(task, cause.toString());
    } else {
      refuse(
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
      refuse(
          framework,
          info,
          States.forFramework(framework.info, TaskState.TASK_DROPPED),
          Reason.REASON_INVALID_OFFERS,
          "The agent's resources have changed since the offer was made");
      return;
    }
    if (framework.tasks.containsKey(info.getTaskId().getValue())) {
      refuse(
          framework,
          info,
          States.forFramework(framework.info, TaskState.TASK_DROPPED),
          Reason.REASON_TASK_INVALID,
          "A task with the id '" + info.getTaskId().getValue() + "' is on this agent already");
      return;
    }
    if (message.hasGroupExecutor() || info.hasExecutor() || !info.hasCommand()) {
      refuse(
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
      refuse(
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
            with.paths()
                .run(
                    agent.getId().getValue(),
                    framework.id(),
                    info.getTaskId().getValue(),
                    container));
    with.collector().unschedule(task.sandbox);
    task.rootRefused = message.getRootRefused();
    framework.tasks.put(task.id(), task);
    moved(null, TaskState.TASK_STAGING);
    use(task, 1);
    if (with.hooks().isEmpty()) {
      launch(task, Map.of());
      return;
    }
    with.hooks()
        .runTaskLabels(info, framework.info, agent)
        .thenCompose(
            labelled -> {
              task.relabel(labelled);
              return with.hooks().taskEnvironment(labelled);
            })
        .thenAcceptAsync(added -> launch(task, added), with.loop())
        .whenCompleteAsync(
            (done, failure) -> {
              if (failure != null) {
                failUnexpectedly(framework, info, failure);
              }
            },
            with.loop());
  }

  private void launch(CommandTask task, Map<String, String> added) {
    if (task.ended) {
      return;
    }
    Map<String, String> environment =
        with.environment().of(task.framework.info, task.info, task.sandbox);
    environment.putAll(added);
    LaunchRequest request;
    try {
      request =
          new LaunchRequest(
              task.containerId,
              task.info.getCommand(),
              environment,
              task.user(),
              task.sandbox,
              Resources.of(task.info.getResourcesList()).unallocated(),
              limits(task.info),
              task.info.hasContainer() ? Optional.of(task.info.getContainer()) : Optional.empty(),
              !task.rootRefused);
    } catch (ResourceFormatException | RuntimeException e) {
      launchFailed(task, e.getMessage());
      return;
    }
    attach(task);
    task.launching = true;
    if (startsAtOnce(task)) {
      // Its acknowledgement travels while the process is being made, so that RUNNING need not wait.
      starting(task, task.containerStatus.toBuilder());
    }
    try {
      with.workers().execute(() -> launch(task, request));
    } catch (RejectedExecutionException e) {
      launchFailed(task, "The agent is overloaded or stopping");
    }
  }

  /** Whether nothing that may take time or be refused comes before the task's process. */
  private boolean startsAtOnce(CommandTask task) {
    return task.info.getCommand().getUrisCount() == 0
        && !task.rootRefused
        && task.user().map(System.getProperty("user.name")::equals).orElse(true);
  }

  private void starting(CommandTask task, ContainerStatus.Builder status) {
    if (status.getNetworkInfosCount() == 0) {
      status.addNetworkInfos(
          NetworkInfo.newBuilder()
              .addIpAddresses(
                  NetworkInfo.IPAddress.newBuilder()
                      .setProtocol(NetworkInfo.Protocol.IPv4)
                      .setIpAddress(with.environment().ip())));
    }
    task.containerStatus = status.build();
    if (!task.startingTold) {
      task.startingTold = true;
      update(task, fromExecutor(task, TaskState.TASK_STARTING));
    }
  }

  /** The part that does not belong on the loop. A kill meanwhile is seen once it has started. */
  private void launch(CommandTask task, LaunchRequest request) {
    try {
      SandboxPaths.create(task.sandbox);
    } catch (IOException | RuntimeException e) {
      with.loop().execute(() -> launchFailed(task, "Cannot create the sandbox: " + e.getMessage()));
      return;
    }
    CompletionStage<Containerizer.Launched> launched;
    try {
      launched = with.containerizer().launch(request);
    } catch (RuntimeException | LinkageError e) {
      LOG.error("Launching task '{}' failed", task.id(), e);
      with.loop().execute(() -> launchFailed(task, e.toString()));
      return;
    }
    launched.whenComplete(
        (container, failure) -> {
          if (failure != null) {
            with.loop().execute(() -> launchFailed(task, message(failure)));
          } else {
            container.termination().thenAcceptAsync(end -> terminated(task, end), with.loop());
            with.containerizer()
                .status(task.containerId)
                .whenCompleteAsync(
                    (status, unknown) -> started(task, container.pid(), status), with.loop());
          }
        });
  }

  private static String message(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && !(root instanceof LaunchException)) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }

  private static Resources limits(TaskInfo info) {
    List<Resource> limits = new ArrayList<>();
    for (Map.Entry<String, Value.Scalar> limit : info.getLimitsMap().entrySet()) {
      double value = limit.getValue().getValue();
      // Infinity has no fixed-point form; nothing a machine has comes near this.
      limits.add(Resource.scalar(limit.getKey(), Double.isInfinite(value) ? 1e12 : value));
    }
    return limits.isEmpty() ? Resources.EMPTY : Resources.of(limits.toArray(new Resource[0]));
  }

  private void attach(CommandTask task) {
    Question access = Question.about(Action.ACCESS_SANDBOX, task.user().orElse(""));
    with.files().attach(task.sandbox.toString(), task.sandbox, access);
    with.files().attach(virtualPath(task, task.containerId), task.sandbox, access);
    with.files().attach(virtualPath(task, "latest"), task.sandbox, access);
  }

  private static String virtualPath(CommandTask task, String run) {
    return "/frameworks/" + task.framework.id() + "/executors/" + task.id() + "/runs/" + run;
  }

  private void started(CommandTask task, long pid, ContainerStatus status) {
    if (task.ended) {
      return;
    }
    task.started = true;
    starting(
        task,
        (status == null ? task.containerStatus : status).toBuilder().setExecutorPid((int) pid));
    update(task, fromExecutor(task, TaskState.TASK_RUNNING));
    if (task.info.hasMaxCompletionTime()) {
      task.completionTimer =
          with.timers()
              .apply(
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
      with.containerizer().destroy(task.containerId);
    }
  }

  private void launchFailed(CommandTask task, String message) {
    if (task.ended) {
      return;
    }
    task.ended = true;
    task.killTimer.cancel();
    if (task.killed) {
      update(
          task,
          fromAgent(task.info, TaskState.TASK_KILLED)
              .setReason(Reason.REASON_TASK_KILLED_DURING_LAUNCH)
              .setMessage("Task killed while it was being launched"));
    } else {
      launchErrors.increment();
      LOG.warn("Task '{}' could not be launched: {}", task.id(), message);
      update(
          task,
          fromAgent(task.info, TaskState.TASK_FAILED)
              .setExecutorId(task.executorId())
              .setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED)
              .setMessage("Failed to launch container: " + message));
    }
    finished(task);
  }

  // Ending.

  private void terminated(CommandTask task, Termination end) {
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
          fromAgent(task.info, TaskState.TASK_FAILED)
              .setReason(reason(limit.reason()))
              .setMessage(limit.message());
      status
          .getLimitationBuilder()
          .addAllResources(limit.resources().toMessages(Resources.Format.POST_REFINEMENT));
    } else if (end.waitStatus().isEmpty() && !task.killed && !task.outOfTime) {
      status =
          fromAgent(task.info, TaskState.TASK_FAILED)
              .setReason(Reason.REASON_EXECUTOR_TERMINATED)
              .setMessage("Command " + end.describe());
    } else {
      TaskState state =
          task.outOfTime
              ? TaskState.TASK_FAILED
              : task.killed
                  ? TaskState.TASK_KILLED
                  : end.succeeded() ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
      status = fromExecutor(task, state).setMessage("Command " + end.describe());
      if (task.outOfTime) {
        status.setReason(Reason.REASON_MAX_COMPLETION_TIME_REACHED);
      }
    }
    update(task, status);
    finished(task);
  }

  private static Reason reason(String name) {
    try {
      return Reason.valueOf(name);
    } catch (IllegalArgumentException e) {
      return Reason.REASON_CONTAINER_LIMITATION;
    }
  }

  private void finished(CommandTask task) {
    use(task, -1);
    executorsTerminated.increment();
    with.hooks().taskRemoved(task.framework.info.getId(), task.info);
    // Not before the last of its processes is gone.
    with.containerizer()
        .destroy(task.containerId)
        .whenComplete((gone, failure) -> with.collector().schedule(task.sandbox));
    if (task.framework.terminating) {
      if (!States.terminal(task.task.getState())) {
        moved(task.task.getState(), TaskState.TASK_KILLED);
        task.task = task.task.toBuilder().setState(TaskState.TASK_KILLED).build();
      }
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
      while (framework.completed.size() > with.completedExecutors()) {
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

  /** Forgets the virtual paths of a sandbox that was deleted. Safe for any thread. */
  public void forget(Path sandbox) {
    with.files()
        .attached()
        .forEach(
            (path, real) -> {
              if (real.equals(sandbox)) {
                with.files().detach(path);
              }
            });
  }

  // Updates.

  private TaskStatus.Builder fromExecutor(CommandTask task, TaskState state) {
    return TaskStatus.newBuilder()
        .setTaskId(task.info.getTaskId())
        .setState(state)
        .setSource(Source.SOURCE_EXECUTOR)
        .setAgentId(agent.getId())
        .setExecutorId(task.executorId())
        .setContainerStatus(task.containerStatus);
  }

  private TaskStatus.Builder fromAgent(TaskInfo task, TaskState state) {
    return TaskStatus.newBuilder()
        .setTaskId(task.getTaskId())
        .setState(state)
        .setSource(Source.SOURCE_AGENT)
        .setAgentId(agent.getId());
  }

  private TaskStatus stamped(TaskStatus.Builder status) {
    UUID uuid = UUID.randomUUID();
    ByteBuffer bytes = ByteBuffer.allocate(16);
    bytes.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits()).flip();
    return status
        .setTimestamp(with.clock().millis() / 1000.0)
        .setUuid(ByteString.copyFrom(bytes))
        .build();
  }

  private void update(CommandTask task, TaskStatus.Builder builder) {
    if (task.framework.terminating || States.terminal(task.task.getState())) {
      return;
    }
    TaskStatus status = stamped(builder);
    remember(task, status);
    validUpdates.increment();
    FrameworkID framework = task.framework.info.getId();
    if (with.hooks().isEmpty()) {
      with.updates().add(framework, status);
      return;
    }
    // Hooks may take their time; updates of a task stay in order behind each other.
    task.decorated =
        task.decorated
            .thenCompose(before -> with.hooks().taskStatus(framework, status))
            .thenApplyAsync(
                decorated -> {
                  if (!task.framework.terminating) {
                    with.updates().add(framework, decorated);
                  }
                  return decorated;
                },
                with.loop());
  }

  private void remember(CommandTask task, TaskStatus status) {
    moved(task.task.getState(), status.getState());
    Task.Builder builder = task.task.toBuilder().setState(status.getState());
    int last = builder.getStatusesCount() - 1;
    TaskStatus kept = status.toBuilder().clearData().build();
    if (last >= 0 && builder.getStatuses(last).getState() == status.getState()) {
      builder.setStatuses(last, kept);
    } else {
      builder.addStatuses(kept);
    }
    task.task = builder.build();
    Metrics.Counter end = ends.get(status.getState());
    if (end != null) {
      end.increment();
    }
  }

  /** Counts a task out of one state and into another; terminal ones are not counted. */
  private void moved(TaskState from, TaskState to) {
    if (from != null && !States.terminal(from)) {
      active.get(from).decrementAndGet();
    }
    if (!States.terminal(to)) {
      active.computeIfAbsent(to, unused -> new AtomicInteger()).incrementAndGet();
    }
  }

  /** An update for a task that never got an entry (rule 111). */
  private void refuse(
      FrameworkEntry framework, TaskInfo info, TaskState state, Reason reason, String message) {
    LOG.warn("Task '{}' is not launched: {}", info.getTaskId().getValue(), message);
    Metrics.Counter end = ends.get(state);
    if (end != null) {
      end.increment();
    }
    with.updates()
        .add(
            framework.info.getId(),
            stamped(fromAgent(info, state).setReason(reason).setMessage(message)));
  }

  /** The framework has an update. */
  public void acknowledged(AcknowledgeUpdate message) {
    Optional<TaskStatus> status =
        with.updates()
            .acknowledge(message.getFrameworkId(), message.getTaskId(), message.getUuid());
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
      with.updates()
          .add(
              framework.info.getId(),
              stamped(
                  fromAgent(
                          TaskInfo.newBuilder()
                              .setName("")
                              .setTaskId(message.getTaskId())
                              .setAgentId(agent.getId())
                              .build(),
                          States.forFramework(framework.info, TaskState.TASK_DROPPED))
                      .setReason(Reason.REASON_EXECUTOR_TERMINATED)
                      .setMessage("Unable to find the task on the agent")));
      return;
    }
    kill(task, grace(task, message.hasKillPolicy() ? message.getKillPolicy() : null), true);
  }

  private static Duration grace(CommandTask task, KillPolicy policy) {
    if (policy != null && policy.hasGracePeriod()) {
      return Duration.ofNanos(policy.getGracePeriod().getNanoseconds());
    }
    return task.info.getKillPolicy().hasGracePeriod()
        ? Duration.ofNanos(task.info.getKillPolicy().getGracePeriod().getNanoseconds())
        : DEFAULT_KILL_GRACE;
  }

  private void kill(CommandTask task, Duration grace, boolean tell) {
    if (task.ended) {
      return;
    }
    if (!task.killed) {
      task.killed = true;
      task.grace = grace;
      if (!task.launching) {
        launchFailed(task, "");
      } else if (task.started) {
        if (tell
            && States.has(task.framework.info, FrameworkInfo.Capability.Type.TASK_KILLING_STATE)) {
          update(task, fromExecutor(task, TaskState.TASK_KILLING));
        }
        beginKill(task);
      } else {
        with.containerizer().destroy(task.containerId);
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
    with.containerizer().signal(task.containerId, SIGTERM);
    armKill(task, task.grace);
  }

  private void armKill(CommandTask task, Duration wait) {
    task.killTimer.cancel();
    task.killTimer =
        with.timers()
            .apply(
                wait,
                () -> {
                  if (!task.ended) {
                    LOG.info("Task '{}' did not end within its grace and is killed", task.id());
                    with.containerizer().destroy(task.containerId);
                  }
                });
  }

  /** Kills everything of a framework and forgets it; no updates are sent (rule 112). */
  public void shutdownFramework(FrameworkID id) {
    FrameworkEntry framework = frameworks.get(id.getValue());
    with.updates().remove(id);
    if (framework == null) {
      return;
    }
    framework.terminating = true;
    for (CommandTask task : List.copyOf(framework.tasks.values())) {
      if (task.ended) {
        task.acknowledged = true;
        removeIfDone(task);
      } else {
        kill(task, shutdownGrace(), false);
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
    kill(task, shutdownGrace(), true);
  }

  private Duration shutdownGrace() {
    Duration grace = with.shutdownGrace().minus(RESERVED_GRACE);
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
  public void reconcile(ReconcileTasks message, FrameworkInfo fallback) {
    FrameworkEntry framework = frameworks.get(message.getFrameworkId().getValue());
    FrameworkInfo info = framework == null ? fallback : framework.info;
    for (TaskID id : message.getTaskIdsList()) {
      if (framework != null && framework.tasks.containsKey(id.getValue())) {
        continue;
      }
      with.updates()
          .add(
              message.getFrameworkId(),
              stamped(
                  TaskStatus.newBuilder()
                      .setTaskId(id)
                      .setState(States.forFramework(info, TaskState.TASK_DROPPED))
                      .setSource(Source.SOURCE_AGENT)
                      .setAgentId(agent.getId())
                      .setReason(Reason.REASON_RECONCILIATION)
                      .setMessage("Reconciliation: task unknown to the agent")));
    }
  }

  /** The framework changed; its pending updates are sent again (rule 98). */
  public void updateFramework(FrameworkInfo info) {
    FrameworkEntry framework = frameworks.get(info.getId().getValue());
    if (framework != null) {
      framework.info = info;
    }
    with.updates().resend(info.getId());
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
        with.updates()
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
