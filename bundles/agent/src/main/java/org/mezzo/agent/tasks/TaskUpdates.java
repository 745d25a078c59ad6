package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.agent.draining.Draining;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.updates.StatusUpdates;
import org.mezzo.api.Metrics;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.link.messages.AcknowledgeUpdate;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.TaskStatus.Source;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is told of tasks, and the states that they are in by it: makes status updates, has hooks
 * decorate them, gives them to their streams and counts them. For the event loop only.
 */
public final class TaskUpdates {
  private static final Logger LOG = LoggerFactory.getLogger(TaskUpdates.class);

  private final StatusUpdates streams;
  private final TaskRecords records;
  private final AgentHooks hooks;
  private final Draining draining;
  private final Clock clock;
  private final Executor loop;
  private final Map<TaskState, Metrics.Counter> ends;
  private final Metrics.Counter validUpdates;
  private final Map<TaskState, AtomicInteger> active = new ConcurrentHashMap<>();
  private AgentID agent = AgentID.getDefaultInstance();

  /**
   * Nothing to tell yet.
   *
   * @param streams deliver what is told
   * @param records keep what was told last
   * @param draining says of kills that they are its
   * @param loop where replies of hooks arrive
   */
  public TaskUpdates(
      StatusUpdates streams,
      TaskRecords records,
      AgentHooks hooks,
      Draining draining,
      Clock clock,
      Metrics metrics,
      Executor loop) {
    this.streams = streams;
    this.records = records;
    this.hooks = hooks;
    this.draining = draining;
    this.clock = clock;
    this.loop = loop;
    ends =
        Map.of(
            TaskState.TASK_FINISHED, metrics.counter("slave/tasks_finished"),
            TaskState.TASK_FAILED, metrics.counter("slave/tasks_failed"),
            TaskState.TASK_KILLED, metrics.counter("slave/tasks_killed"),
            TaskState.TASK_LOST, metrics.counter("slave/tasks_lost"),
            TaskState.TASK_GONE, metrics.counter("slave/tasks_gone"));
    validUpdates = metrics.counter("slave/valid_status_updates");
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
  }

  /** Who tells from now on. */
  void agent(AgentID id) {
    agent = id;
  }

  // Making them.

  /** A status that an executor gives, or would give where the agent runs the task itself. */
  TaskStatus.Builder fromExecutor(AgentTask task, TaskState state) {
    TaskStatus.Builder status =
        TaskStatus.newBuilder()
            .setTaskId(task.info.getTaskId())
            .setState(state)
            .setSource(Source.SOURCE_EXECUTOR)
            .setAgentId(agent)
            .setExecutorId(task.executor.info.getExecutorId())
            .setContainerStatus(task.containerStatus);
    task.checks.describe(status);
    return status;
  }

  /**
   * A status that came from an executor, with what the agent knows better: where it is from, and of
   * the container what the executor left out (rules 108, 110).
   */
  TaskStatus.Builder received(TaskStatus given, Optional<ContainerStatus> container) {
    TaskStatus.Builder status =
        given.toBuilder().setSource(Source.SOURCE_EXECUTOR).setAgentId(agent);
    if (container.isPresent()) {
      ContainerStatus known = container.get();
      if (given.getContainerStatus().getNetworkInfosCount() > 0) {
        known = known.toBuilder().clearNetworkInfos().build();
      }
      status.setContainerStatus(given.getContainerStatus().toBuilder().mergeFrom(known));
    }
    return status;
  }

  /** A status that the agent itself gives. */
  TaskStatus.Builder fromAgent(TaskID task, TaskState state) {
    return TaskStatus.newBuilder()
        .setTaskId(task)
        .setState(state)
        .setSource(Source.SOURCE_AGENT)
        .setAgentId(agent);
  }

  /** The end of a task whose container was destroyed because of a limit. */
  TaskStatus.Builder limited(AgentTask task, Containerizer.Limitation limit) {
    TaskStatus.Builder status =
        fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
            .setReason(reason(limit.reason()))
            .setMessage(limit.message());
    status
        .getLimitationBuilder()
        .addAllResources(limit.resources().toMessages(Resources.Format.POST_REFINEMENT));
    return status;
  }

  private static Reason reason(String name) {
    try {
      return Reason.valueOf(name);
    } catch (IllegalArgumentException e) {
      return Reason.REASON_CONTAINER_LIMITATION;
    }
  }

  private TaskStatus stamped(TaskStatus.Builder status) {
    if (!status.hasTimestamp()) {
      status.setTimestamp(clock.millis() / 1000.0);
    }
    if (!status.hasUuid()) {
      UUID uuid = UUID.randomUUID();
      ByteBuffer bytes = ByteBuffer.allocate(16);
      bytes.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits()).flip();
      status.setUuid(ByteString.copyFrom(bytes));
    }
    return status.build();
  }

  // Telling them.

  /** A task is here, of which nothing was told yet. */
  void staged(AgentTask task) {
    moved(null, task.task.getState());
  }

  /**
   * Tells of a task; nothing any more once it has told its end, or its framework ends.
   *
   * @return complete when nothing that happens to this process can have it untold
   */
  CompletionStage<?> tell(AgentTask task, TaskStatus.Builder builder) {
    if (task.framework().terminating || States.terminal(task.task.getState())) {
      return CompletableFuture.completedStage(null);
    }
    draining.explain(task.framework().info, builder);
    TaskStatus status = stamped(builder);
    remember(task, status);
    records.changed(task);
    validUpdates.increment();
    FrameworkID framework = task.framework().info.getId();
    // Behind what a hook still looks at it waits in line, also when no hook is selected any more.
    if (hooks.isEmpty() && task.decorated.isDone()) {
      return streams.add(framework, status);
    }
    // Hooks may take their time; updates of a task stay in order behind each other.
    CompletableFuture<Void> told = new CompletableFuture<>();
    task.decorated =
        task.decorated
            .thenCompose(before -> hooks.taskStatus(framework, status))
            .thenApplyAsync(
                decorated -> {
                  if (task.framework().terminating) {
                    told.complete(null);
                  } else {
                    streams.add(framework, decorated).thenAccept(told::complete);
                  }
                  return decorated;
                },
                loop);
    return told;
  }

  /**
   * Tells of a task that is not here, once: masters and frameworks ask again until they know its
   * end. Complete as of the other.
   */
  CompletionStage<?> tell(FrameworkID framework, TaskStatus.Builder builder) {
    if (streams.ending(framework, builder.getTaskId())) {
      return CompletableFuture.completedStage(null);
    }
    return streams.add(framework, stamped(builder));
  }

  /** Tells of a task that never got an entry (rule 111). */
  void refuse(
      FrameworkEntry framework, TaskInfo info, TaskState state, Reason reason, String message) {
    LOG.warn("Task '{}' is not launched: {}", info.getTaskId().getValue(), message);
    count(state);
    tell(
        framework.info.getId(),
        fromAgent(info.getTaskId(), state).setReason(reason).setMessage(message));
  }

  /** The task of a framework that ends is gone; nobody is told. */
  void endUntold(AgentTask task) {
    if (!States.terminal(task.task.getState())) {
      moved(task.task.getState(), TaskState.TASK_KILLED);
      task.task = task.task.toBuilder().setState(TaskState.TASK_KILLED).build();
    }
  }

  private void remember(AgentTask task, TaskStatus status) {
    moved(task.task.getState(), status.getState());
    if (status.getState() == TaskState.TASK_RUNNING && task.runningSince.isEmpty()) {
      task.runningSince = Optional.of(clock.instant());
    }
    Task.Builder builder = task.task.toBuilder().setState(status.getState());
    int last = builder.getStatusesCount() - 1;
    TaskStatus kept = status.toBuilder().clearData().build();
    if (last >= 0 && builder.getStatuses(last).getState() == status.getState()) {
      builder.setStatuses(last, kept);
    } else {
      builder.addStatuses(kept);
    }
    task.task = builder.build();
    count(status.getState());
  }

  private void count(TaskState state) {
    Metrics.Counter end = ends.get(state);
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

  // Delivering them.

  /** As {@link StatusUpdates#restore}. */
  void restore(FrameworkID framework, TaskStatus status) {
    streams.restore(framework, status);
  }

  /** As {@link StatusUpdates#acknowledge}. */
  Optional<TaskStatus> acknowledge(AcknowledgeUpdate message) {
    return streams.acknowledge(message.getFrameworkId(), message.getTaskId(), message.getUuid());
  }

  /** As {@link StatusUpdates#sentState}. */
  Optional<TaskState> sentState(FrameworkID framework, TaskID task) {
    return streams.sentState(framework, task);
  }

  /** As {@link StatusUpdates#resend(FrameworkID)}. */
  void resend(FrameworkID framework) {
    streams.resend(framework);
  }

  /** As {@link StatusUpdates#remove}. */
  void remove(FrameworkID framework) {
    streams.remove(framework);
  }
}
