package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.mezzo.agent.checks.CheckHost;
import org.mezzo.agent.checks.Prober;
import org.mezzo.agent.draining.Draining;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.operations.Operations;
import org.mezzo.agent.recovery.Journal;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.PastExecutorEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.agent.recovery.messages.UpdateEntry;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.api.Metrics;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.link.messages.AcknowledgeUpdate;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.ExecutorExited;
import org.mezzo.link.messages.ExecutorRecord;
import org.mezzo.link.messages.FrameworkMessage;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.ReconcileTasks;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frameworks of this agent with their executors and tasks: takes what the master orders and
 * what executors tell to whom it concerns, and forgets what is over. For the event loop only,
 * unless said otherwise.
 */
public final class AgentTasks {
  private static final Logger LOG = LoggerFactory.getLogger(AgentTasks.class);

  private static final int MOST_COMPLETED_FRAMEWORKS = 50;

  /**
   * What bounds executors and tasks.
   *
   * @param shutdownGrace {@code --executor_shutdown_grace_period}
   * @param registrationTimeout {@code --executor_registration_timeout}, from the executor's start
   * @param registrationTimeoutText the same as it was written, for people
   * @param reregistrationTimeout {@code --executor_reregistration_timeout}, from the agent's start
   * @param completedExecutors {@code --max_completed_executors_per_framework}
   */
  public record Limits(
      Duration shutdownGrace,
      Duration registrationTimeout,
      String registrationTimeoutText,
      Duration reregistrationTimeout,
      int completedExecutors) {}

  /**
   * What of the agent itself decides about launches.
   *
   * @param operations know its resources
   * @param volumes that tasks may have
   * @param prober tries what their checks say
   */
  public record Surroundings(
      Operations operations, VolumeStore volumes, Draining draining, Prober prober) {}

  /**
   * An executor as {@code /state} shows it. Immutable.
   *
   * @param info of a command's executor with no more than ids, name and source
   * @param running whether it has a container, or will have one
   * @param nested ids of the containers of its tasks, where these have their own
   * @param resources its own and those of its tasks that have not ended
   * @param queuedTasks wait for it
   * @param terminatedTasks ended, with updates to be acknowledged
   * @param completedTasks the newest of those that ended and were acknowledged
   */
  public record ExecutorView(
      ExecutorInfo info,
      String containerId,
      Path sandbox,
      boolean running,
      List<ContainerId> nested,
      List<Resource> resources,
      List<Task> queuedTasks,
      List<Task> tasks,
      List<Task> terminatedTasks,
      List<Task> completedTasks) {
    /** The executor's id. */
    public String id() {
      return info.getExecutorId().getValue();
    }

    /** All its tasks. */
    public List<Task> allTasks() {
      List<Task> all = new ArrayList<>(queuedTasks);
      all.addAll(tasks);
      all.addAll(terminatedTasks);
      all.addAll(completedTasks);
      return all;
    }
  }

  /** A framework as {@code /state} shows it. Immutable. */
  public record FrameworkView(
      FrameworkInfo info, List<ExecutorView> executors, List<ExecutorView> completedExecutors) {}

  /** Everything at one moment. Immutable. */
  public record View(List<FrameworkView> frameworks, List<FrameworkView> completed) {}

  /** What an executor that calls is told where it is not served. */
  public enum Answer {
    /** It is served. */
    TAKEN,
    NO_FRAMEWORK,
    NO_EXECUTOR,
    NOT_SUBSCRIBED
  }

  private final Launches launches;
  private final TaskUpdates updates;
  private final TaskRecords records;
  private final Runnable removed;
  private final Consumer<AgentCall.Builder> master;
  private final Limits limits;
  private final Map<String, FrameworkEntry> frameworks = new LinkedHashMap<>();
  private final AtomicInteger frameworkCount = new AtomicInteger();
  private final Deque<FrameworkView> completed = new ArrayDeque<>();
  private final Metrics.Counter invalidMessages;
  private final Metrics.Counter validMessages;
  private final Metrics.Counter preempted;
  private final Usage usage = new Usage();

  /**
   * No task yet.
   *
   * @param records keep executors and tasks for a later process
   * @param removed told, on the loop, when a framework has nothing here any more
   * @param master takes what executors tell to the master; may lose it
   */
  public AgentTasks(
      EventLoop loop,
      TaskContainers containers,
      TaskSandboxes sandboxes,
      TaskUpdates updates,
      TaskRecords records,
      AgentHooks hooks,
      Surroundings around,
      Runnable removed,
      Consumer<AgentCall.Builder> master,
      Clock clock,
      Metrics metrics,
      Limits limits) {
    this.updates = updates;
    this.records = records;
    this.removed = removed;
    this.master = master;
    this.limits = limits;
    ExecutorHost host =
        new ExecutorHost(
            loop::schedule,
            clock,
            containers,
            sandboxes,
            updates,
            records,
            hooks,
            usage,
            new ExecutorPhases(metrics),
            metrics.counter("slave/container_launch_errors"),
            limits,
            new Checking(
                new CheckHost(around.prober(), loop, loop::schedule, System::nanoTime),
                containers,
                metrics),
            new FromExecutors());
    launches = new Launches(host, around, loop);
    invalidMessages = metrics.counter("slave/invalid_framework_messages");
    validMessages = metrics.counter("slave/valid_framework_messages");
    preempted = metrics.counter("slave/executors_preempted");
    metrics.gauge("slave/frameworks_active", frameworkCount::get);
  }

  /** The agent as it is registered now, with its id. */
  public void agent(AgentInfo registered, String version) {
    launches.agent(registered, version);
    updates.agent(registered.getId());
  }

  // Recovering.

  /**
   * Goes on with what an earlier process of this agent left (rule 177). Once, before the agent
   * registers.
   *
   * @param kept what that process had on disk
   * @param containers what is left of containers, by id
   * @param why nothing is left of those that are not among them, for people; of an executor by the
   *     id of its container
   */
  public void restore(
      Journal.Kept kept,
      Map<String, Containerizer.Recovered> containers,
      UnaryOperator<String> why) {
    for (UpdateEntry update : kept.updates()) {
      updates.restore(update.getFrameworkId(), update.getStatus());
    }
    Map<FrameworkEntry, Map<AgentExecutor, List<AgentTask>>> found = new LinkedHashMap<>();
    for (org.mezzo.agent.recovery.messages.FrameworkEntry each : kept.frameworks()) {
      FrameworkEntry framework = new FrameworkEntry(each.getFramework());
      frameworks.put(framework.id(), framework);
      found.put(framework, new LinkedHashMap<>());
    }
    for (ExecutorEntry entry : kept.executors()) {
      FrameworkEntry framework = frameworks.get(entry.getFrameworkId().getValue());
      try {
        AgentExecutor executor = launches.restored(framework, entry);
        framework.executors.put(executor.id(), executor);
        found.get(framework).put(executor, new ArrayList<>());
      } catch (IOException | ResourceFormatException | RuntimeException e) {
        LOG.error("An executor of before is given up: {}", entry, e);
      }
    }
    for (TaskEntry entry : kept.tasks()) {
      FrameworkEntry framework = frameworks.get(entry.getFrameworkId().getValue());
      AgentExecutor executor =
          framework == null ? null : framework.executors.get(entry.getExecutorId().getValue());
      try {
        if (executor != null) {
          found.get(framework).get(executor).add(launches.restored(executor, entry));
        }
      } catch (IOException | ResourceFormatException | RuntimeException e) {
        LOG.error("A task of before is given up: {}", entry, e);
      }
    }
    frameworkCount.set(frameworks.size());
    restorePast(kept);
    found.forEach(
        (framework, executors) -> {
          executors.forEach(
              (executor, tasks) ->
                  executor.resume(
                      tasks,
                      id -> Optional.ofNullable(containers.get(id)),
                      why.apply(executor.containerId)));
          removeIfIdle(framework);
        });
  }

  /** What has ended before the restart, to be looked at. */
  private void restorePast(Journal.Kept kept) {
    Map<String, FrameworkEntry> past = new LinkedHashMap<>();
    for (org.mezzo.agent.recovery.messages.FrameworkEntry each : kept.past()) {
      past.put(each.getFramework().getId().getValue(), new FrameworkEntry(each.getFramework()));
    }
    // In the order of their last end.
    Map<String, FrameworkEntry> ordered = new LinkedHashMap<>();
    for (PastExecutorEntry entry : kept.pastExecutors()) {
      String id = entry.getFrameworkId().getValue();
      FrameworkEntry framework = frameworks.getOrDefault(id, past.get(id));
      try {
        framework.completed.add(launches.past(framework, entry));
      } catch (IOException | RuntimeException e) {
        LOG.error("An executor of the past is not shown: {}", entry, e);
        continue;
      }
      ordered.remove(id);
      ordered.put(id, framework);
    }
    ordered.values().forEach(this::bounded);
    ordered.forEach(
        (id, framework) -> {
          if (!frameworks.containsKey(id)) {
            toPast(framework);
          }
        });
    kept.past().stream()
        .map(each -> each.getFramework().getId())
        .filter(id -> !ordered.containsKey(id.getValue()))
        .forEach(records::forgetPast);
  }

  private void bounded(FrameworkEntry framework) {
    while (framework.completed.size() > limits.completedExecutors()) {
      framework.completed.removeFirst();
    }
  }

  /** Whether a framework of which something is kept has a container here. */
  public boolean keepsAny() {
    return frameworks.values().stream()
        .filter(framework -> framework.info.getCheckpoint() && !framework.terminating)
        .flatMap(framework -> framework.executors.values().stream())
        .anyMatch(executor -> executor.phase() != AgentExecutor.Phase.TERMINATED);
  }

  // Launching.

  /** Launches tasks; what cannot be launched is answered with an update. */
  public void run(RunTask message) {
    FrameworkEntry framework =
        frameworks.computeIfAbsent(
            message.getFramework().getId().getValue(), id -> backFromPast(message.getFramework()));
    if (!framework.info.equals(message.getFramework())) {
      // What is kept of its sandboxes holds it: the same object while it is the same.
      framework.info = message.getFramework();
    }
    frameworkCount.set(frameworks.size());
    records.framework(framework.info);
    launches.run(framework, message);
    removeIfIdle(framework);
  }

  /** Persistent volumes of executors and tasks that are not gone, allocated to nobody. */
  public Resources volumesInUse() {
    return volumesBeside(null);
  }

  private Resources volumesBeside(AgentExecutor one) {
    Resources used = Resources.EMPTY;
    for (FrameworkEntry framework : frameworks.values()) {
      for (AgentExecutor executor : framework.executors.values()) {
        if (executor != one) {
          used = used.plus(executor.volumesInUse());
        }
      }
    }
    return used;
  }

  // Ending.

  /** Ends every executor, with its grace; what becomes of tasks is told when there is a master. */
  public void endAll() {
    for (FrameworkEntry framework : List.copyOf(frameworks.values())) {
      for (AgentExecutor executor : List.copyOf(framework.executors.values())) {
        executor.shutdown(executor.grace());
      }
    }
  }

  /** Whether no container runs. */
  public boolean allEnded() {
    return frameworks.values().stream()
        .flatMap(framework -> framework.executors.values().stream())
        .allMatch(executor -> executor.phase() == AgentExecutor.Phase.TERMINATED);
  }

  private final class FromExecutors implements ExecutorHost.Outcome {
    @Override
    public void exited(FrameworkEntry framework, ExecutorInfo executor, int status) {
      LOG.info(
          "Executor '{}' of framework {} is gone",
          executor.getExecutorId().getValue(),
          framework.id());
      master.accept(
          AgentCall.newBuilder()
              .setExecutorExited(
                  ExecutorExited.newBuilder()
                      .setFrameworkId(framework.info.getId())
                      .setExecutorId(executor.getExecutorId())
                      .setStatus(status)));
    }

    @Override
    public void settled(AgentExecutor executor) {
      FrameworkEntry framework = executor.framework;
      if (framework.executors.remove(executor.id(), executor)) {
        framework.completed.add(executor.view());
        bounded(framework);
        records.ended(executor, limits.completedExecutors());
        removeIfIdle(framework);
      }
    }

    @Override
    public Resources volumesBeside(AgentExecutor executor) {
      return AgentTasks.this.volumesBeside(executor);
    }
  }

  private void removeIfIdle(FrameworkEntry framework) {
    if (framework.executors.isEmpty() && frameworks.remove(framework.id(), framework)) {
      records.release(framework.info.getId());
      frameworkCount.set(frameworks.size());
      if (!framework.completed.isEmpty()) {
        toPast(framework);
      }
      removed.run();
    }
  }

  private void toPast(FrameworkEntry framework) {
    completed.removeIf(view -> view.info().getId().equals(framework.info.getId()));
    completed.add(view(framework));
    while (completed.size() > MOST_COMPLETED_FRAMEWORKS) {
      records.forgetPast(completed.removeFirst().info().getId());
    }
  }

  /** A framework that has something here again, with what it had before. */
  private FrameworkEntry backFromPast(FrameworkInfo info) {
    FrameworkEntry framework = new FrameworkEntry(info);
    completed.removeIf(
        view -> {
          boolean same = view.info().getId().equals(info.getId());
          if (same) {
            framework.completed.addAll(view.completedExecutors());
          }
          return same;
        });
    return framework;
  }

  private Optional<AgentTask> task(FrameworkID framework, TaskID id) {
    FrameworkEntry entry = frameworks.get(framework.getValue());
    return entry == null ? Optional.empty() : entry.task(id);
  }

  /** The framework has an update. */
  public void acknowledged(AcknowledgeUpdate message) {
    Optional<TaskStatus> status = updates.acknowledge(message);
    if (status.isEmpty()) {
      return;
    }
    if (!frameworks.containsKey(message.getFrameworkId().getValue())) {
      // Perhaps the last word of what was never begun here.
      records.release(message.getFrameworkId());
    }
    Optional<AgentTask> task = task(message.getFrameworkId(), message.getTaskId());
    if (task.isEmpty()) {
      return;
    }
    task.get().task =
        task.get().task.toBuilder()
            .setStatusUpdateState(status.get().getState())
            .setStatusUpdateUuid(status.get().getUuid())
            .build();
    records.changed(task.get());
    if (States.terminal(status.get().getState())) {
      task.get().executor.acknowledged(task.get());
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
    Optional<AgentTask> task = framework.task(message.getTaskId());
    if (task.isEmpty()) {
      updates.tell(
          framework.info.getId(),
          updates
              .fromAgent(
                  message.getTaskId(), States.forFramework(framework.info, TaskState.TASK_DROPPED))
              .setReason(Reason.REASON_EXECUTOR_TERMINATED)
              .setMessage("Unable to find the task on the agent"));
      return;
    }
    task.get().executor.kill(task.get(), message.getKillPolicy());
  }

  /**
   * Kills every task because the agent drains (rule 249).
   *
   * @param longest what no task's grace may exceed, if there is such a limit
   */
  public void drain(Optional<Duration> longest) {
    for (FrameworkEntry framework : List.copyOf(frameworks.values())) {
      for (AgentExecutor executor : List.copyOf(framework.executors.values())) {
        for (AgentTask task : List.copyOf(executor.tasks())) {
          KillPolicy own = KillPolicy.getDefaultInstance();
          Duration grace = RunningCommand.grace(task.info.getKillPolicy(), own);
          executor.kill(
              task,
              longest
                  .filter(limit -> limit.compareTo(grace) < 0)
                  .map(AgentTasks::within)
                  .orElse(own));
        }
      }
    }
  }

  private static KillPolicy within(Duration grace) {
    return KillPolicy.newBuilder()
        .setGracePeriod(DurationInfo.newBuilder().setNanoseconds(grace.toNanos()))
        .build();
  }

  /** Kills everything of a framework and forgets it; no updates are sent (rule 112). */
  public void shutdownFramework(FrameworkID id) {
    FrameworkEntry framework = frameworks.get(id.getValue());
    updates.remove(id);
    if (framework == null) {
      return;
    }
    framework.terminating = true;
    for (AgentExecutor executor : List.copyOf(framework.executors.values())) {
      if (executor.phase() == AgentExecutor.Phase.TERMINATED) {
        executor.forget();
      } else {
        executor.shutdown(executor.grace());
      }
    }
  }

  /** Ends an executor, that of a command as well, with the grace of a shutdown (rule 121). */
  public void shutdownExecutor(FrameworkID id, String executor) {
    FrameworkEntry framework = frameworks.get(id.getValue());
    AgentExecutor found = framework == null ? null : framework.executors.get(executor);
    if (found == null) {
      LOG.warn("Ignored the shutdown of executor '{}': it is not here", executor);
      return;
    }
    found.shutdown(found.grace());
  }

  /**
   * Ends an executor with its tasks at once, because what it was lent is taken back (rule 319).
   *
   * @param container that it must have; empty for any
   * @param why for the user whose tasks end with it
   * @return false where there is no such executor, it is to end already, or it holds nothing
   *     revocable
   */
  public boolean preempt(String frameworkId, String executorId, String container, String why) {
    FrameworkEntry framework = frameworks.get(frameworkId);
    AgentExecutor executor = framework == null ? null : framework.executors.get(executorId);
    if (executor == null
        || framework.terminating
        || !(container.isEmpty() || container.equals(executor.containerId))
        || !executor.preempt(why)) {
      LOG.debug("Executor '{}' of framework {} is not preempted", executorId, frameworkId);
      return false;
    }
    preempted.increment();
    return true;
  }

  /** Kills every task, with grace, because the agent ends; updates are not sent any more. */
  public void shutdown() {
    for (FrameworkEntry framework : List.copyOf(frameworks.values())) {
      shutdownFramework(framework.info.getId());
    }
  }

  /** The same, but for tasks of frameworks that want to find them running later (rule 176). */
  public void leave() {
    for (FrameworkEntry framework : List.copyOf(frameworks.values())) {
      if (!framework.info.getCheckpoint()) {
        shutdownFramework(framework.info.getId());
      }
    }
  }

  /** Whether no framework has anything here, nor waits for the last word on it. */
  public boolean isEmpty() {
    return frameworks.isEmpty();
  }

  /** Whether no container runs that is to end with the agent. */
  public boolean idle() {
    return frameworks.values().stream()
        .filter(framework -> framework.terminating || !framework.info.getCheckpoint())
        .flatMap(framework -> framework.executors.values().stream())
        .allMatch(executor -> executor.phase() == AgentExecutor.Phase.TERMINATED);
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
    Map<TaskID, TaskStatus> ended =
        message.getEndedList().stream()
            .collect(
                Collectors.toMap(TaskStatus::getTaskId, status -> status, (one, other) -> one));
    for (TaskID id : message.getTaskIdsList()) {
      if (framework != null && framework.task(id).isPresent()) {
        continue;
      }
      TaskStatus end = ended.get(id);
      updates.tell(
          message.getFrameworkId(),
          end != null
              ? end.toBuilder()
              : updates
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
      records.framework(info);
    }
    updates.resend(info.getId());
  }

  /** A message of a framework to an executor; lost where none takes it (rule 122). */
  public void message(FrameworkMessage message) {
    FrameworkEntry framework = frameworks.get(message.getFrameworkId().getValue());
    String id = message.getExecutorId().getValue();
    AgentExecutor executor = framework == null ? null : framework.executors.get(id);
    if (executor != null && executor.message(message.getData())) {
      validMessages.increment();
    } else {
      invalidMessages.increment();
      LOG.debug("Dropped a message to executor '{}': nobody takes it", id);
    }
  }

  /** The frameworks to report when the agent registers again. */
  public List<FrameworkInfo> frameworkInfos() {
    return frameworks.values().stream().map(framework -> framework.info).toList();
  }

  /** The tasks to report when the agent registers again. */
  public List<TaskRecord> records() {
    List<TaskRecord> records = new ArrayList<>();
    for (FrameworkEntry framework : frameworks.values()) {
      for (AgentExecutor executor : framework.executors.values()) {
        for (AgentTask task : executor.tasks()) {
          TaskRecord.Builder record = TaskRecord.newBuilder().setTask(task.task);
          updates
              .sentState(framework.info.getId(), task.info.getTaskId())
              .ifPresent(record::setStatusUpdateState);
          records.add(record.build());
        }
      }
    }
    return records;
  }

  /** The executors to report when the agent registers again; those of commands are its own. */
  public List<ExecutorRecord> executorRecords() {
    List<ExecutorRecord> records = new ArrayList<>();
    for (FrameworkEntry framework : frameworks.values()) {
      for (AgentExecutor executor : framework.executors.values()) {
        if (!executor.generated && executor.phase() != AgentExecutor.Phase.TERMINATED) {
          records.add(
              ExecutorRecord.newBuilder()
                  .setFrameworkId(framework.info.getId())
                  .setExecutor(executor.info)
                  .build());
        }
      }
    }
    return records;
  }

  // Executors call.

  private record Caller(Answer answer, AgentExecutor executor, HttpRun run) {}

  private Caller caller(FrameworkID framework, ExecutorID executor) {
    FrameworkEntry entry = frameworks.get(framework.getValue());
    if (entry == null) {
      return new Caller(Answer.NO_FRAMEWORK, null, null);
    }
    AgentExecutor found = entry.executors.get(executor.getValue());
    return found != null && found.begun() && found.runner() instanceof HttpRun run
        ? new Caller(Answer.TAKEN, found, run)
        : new Caller(Answer.NO_EXECUTOR, null, null);
  }

  /** Whether an executor is in that container; true of one that is not here. */
  public boolean in(String container, FrameworkID framework, ExecutorID executor) {
    Caller caller = caller(framework, executor);
    return caller.answer() != Answer.TAKEN || caller.executor().containerId.equals(container);
  }

  /** Whether there is an executor that may subscribe. */
  public Answer mayConnect(FrameworkID framework, ExecutorID executor) {
    return caller(framework, executor).answer();
  }

  /** An executor subscribes; its stream is ended at once where there is none any more. */
  public void subscribe(Call call, ExecutorConnection connection) {
    Caller caller = caller(call.getFrameworkId(), call.getExecutorId());
    if (caller.answer() == Answer.TAKEN) {
      caller.run().subscribe(connection, call.getSubscribe(), launches.agent());
    } else {
      connection.end();
    }
  }

  /** The stream of an executor is gone. */
  public void disconnected(Call call, ExecutorConnection connection) {
    Caller caller = caller(call.getFrameworkId(), call.getExecutorId());
    if (caller.answer() == Answer.TAKEN) {
      caller.run().disconnected(connection);
    }
  }

  /** An executor tells of a task, which is taken once it has subscribed to this agent process. */
  public Answer update(Call call) {
    Caller caller = subscribed(call);
    if (caller.answer() == Answer.TAKEN) {
      caller.run().update(call.getUpdate().getStatus());
    }
    return caller.answer();
  }

  /** An executor says something to its framework, which may be lost. */
  public Answer message(Call call) {
    Caller caller = subscribed(call);
    if (caller.answer() == Answer.TAKEN) {
      validMessages.increment();
      ByteString data = call.getMessage().getData();
      master.accept(
          AgentCall.newBuilder()
              .setFrameworkMessage(
                  FrameworkMessage.newBuilder()
                      .setFrameworkId(call.getFrameworkId())
                      .setExecutorId(call.getExecutorId())
                      .setData(data)));
    }
    return caller.answer();
  }

  private Caller subscribed(Call call) {
    Caller caller = caller(call.getFrameworkId(), call.getExecutorId());
    return caller.answer() == Answer.TAKEN && !caller.run().met()
        ? new Caller(Answer.NOT_SUBSCRIBED, null, null)
        : caller;
  }

  // Looking.

  /**
   * What a container gets that an operator nests in those of an executor.
   *
   * @param nested one that there is or that is to be, or that of an executor itself
   * @return empty where its outermost container is none of an executor that has not ended
   */
  public Optional<NestingPlace> nesting(ContainerId nested) {
    String outermost = nested.root().value();
    return frameworks.values().stream()
        .flatMap(framework -> framework.executors.values().stream())
        .filter(it -> it.containerId.equals(outermost))
        .filter(it -> it.phase() != AgentExecutor.Phase.TERMINATED)
        .findFirst()
        .map(it -> it.host().containers().nesting(it, nested));
  }

  /** How much of a scalar executors and tasks hold, but for revocable. Safe for any thread. */
  public double used(String name) {
    return usage.of(name);
  }

  /** How much of a revocable scalar executors and tasks hold. Safe for any thread. */
  public double usedRevocable(String name) {
    return usage.revocable(name);
  }

  /** Everything at this moment. */
  public View view() {
    return new View(
        frameworks.values().stream().map(AgentTasks::view).toList(), List.copyOf(completed));
  }

  private static FrameworkView view(FrameworkEntry framework) {
    return new FrameworkView(
        framework.info,
        framework.executors.values().stream().map(AgentExecutor::view).toList(),
        List.copyOf(framework.completed));
  }
}
