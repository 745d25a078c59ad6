package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.sandboxes.SandboxRun;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An executor on this agent with its tasks: in which phase it is, what waits for it, and what ends
 * with it. What the phases have in common is here, what differs by kind in its {@link ExecutorRun}.
 * For the event loop only.
 *
 * <pre>
 *             enqueue, kill of what waits
 *                 ┌────┐                        ┌────┐ launch, kill, message
 *                 ▼    │                        ▼    │
 *   ── new ──► REGISTERING ── registered ──► RUNNING
 *                 │  │                        │  │
 *                 │  └─ shutdown ─┐ ┌─ shutdown  │
 *                 │               ▼ ▼            │
 *                 │           TERMINATING        │
 *      failed, over│               │ over        │ over
 *                 └──────────► TERMINATED ◄──────┘ ── all tasks acknowledged ──► settled
 * </pre>
 */
final class AgentExecutor {
  private static final Logger LOG = LoggerFactory.getLogger(AgentExecutor.class);

  /** Ended and acknowledged tasks that are remembered of an executor, as in Mesos. */
  static final int MOST_COMPLETED_TASKS = 200;

  /** How far an executor is. */
  enum Phase {
    /** Its container is being made, or has not said yet that it takes tasks; tasks wait. */
    REGISTERING,
    /** It takes tasks. */
    RUNNING,
    /** It is to end; no task comes to it any more. */
    TERMINATING,
    /** Its container is gone, or never came to be. Updates may still wait to be acknowledged. */
    TERMINATED
  }

  final FrameworkEntry framework;
  final ExecutorInfo info;

  /** Whether it is that of a command task, which no framework and no master knows as executor. */
  final boolean generated;

  /** Its only run: container and sandbox. */
  final SandboxRun run;

  final String containerId;
  final Path sandbox;

  /** Whether the master lets nothing run as root. */
  final boolean rootRefused;

  private final ExecutorHost host;
  private final ExecutorRun runner;
  private final Map<String, AgentTask> tasks = new LinkedHashMap<>();
  private final Deque<Batch> queue = new ArrayDeque<>();
  private final Deque<Task> completed = new ArrayDeque<>();
  private final Map<String, String> added = new HashMap<>();
  private final TaskVolumes volumes;
  private ContainerStatus containerStatus;
  private Phase phase;

  /** Whether its run was started. */
  private boolean begun;

  /** Whether a task was ever given to its run. */
  private boolean launched;

  /** What tells executors apart beside who they belong to. */
  record Identity(
      ExecutorInfo info, boolean generated, SandboxRun run, Path sandbox, boolean rootRefused) {}

  /**
   * Nothing begins before a task waits and is ready.
   *
   * @param phase RUNNING where nobody has to register, else REGISTERING
   * @param volumes of the executor's own resources
   */
  AgentExecutor(
      FrameworkEntry framework,
      Identity identity,
      Phase phase,
      TaskVolumes volumes,
      ExecutorHost host,
      Function<AgentExecutor, ExecutorRun> kind) {
    this.framework = framework;
    this.info = identity.info();
    this.generated = identity.generated();
    this.run = identity.run();
    this.containerId = run.container();
    this.sandbox = identity.sandbox();
    this.rootRefused = identity.rootRefused();
    this.phase = phase;
    this.volumes = volumes;
    this.host = host;
    containerStatus =
        ContainerStatus.newBuilder()
            .setContainerId(ContainerID.newBuilder().setValue(containerId))
            .build();
    host.phases().began(phase);
    host.usage().add(info.getResourcesList());
    runner = kind.apply(this);
  }

  String id() {
    return info.getExecutorId().getValue();
  }

  Phase phase() {
    return phase;
  }

  ExecutorHost host() {
    return host;
  }

  ExecutorRun runner() {
    return runner;
  }

  /** The account that its container runs as: its command's, else the framework's. */
  Optional<String> user() {
    String own = info.getCommand().getUser();
    String user = own.isEmpty() ? framework.info.getUser() : own;
    return user.isEmpty() ? Optional.empty() : Optional.of(user);
  }

  /** Its container. */
  ContainerId container() {
    return ContainerId.of(containerId);
  }

  /** The agent that it is on. */
  AgentID agentId() {
    return AgentID.newBuilder().setValue(run.agent()).build();
  }

  /** What is told of its container. */
  ContainerStatus containerStatus() {
    return containerStatus;
  }

  void containerStatus(ContainerStatus status) {
    containerStatus = status;
  }

  /** Tasks of which the framework does not know the end, by id. */
  Collection<AgentTask> tasks() {
    return tasks.values();
  }

  Optional<AgentTask> task(TaskID id) {
    return Optional.ofNullable(tasks.get(id.getValue()));
  }

  /** Whether a task that ended and was acknowledged is remembered; for updates that come twice. */
  boolean remembers(TaskID task) {
    return completed.stream().anyMatch(it -> it.getTaskId().equals(task));
  }

  /** Whether a task of it waits, or it has one that was launched and has not ended. */
  boolean busy() {
    return launched || !queue.isEmpty();
  }

  private void move(Phase next) {
    host.phases().moved(phase, next);
    phase = next;
  }

  // Launching.

  /** Whether tasks may come to it. */
  boolean open() {
    return phase == Phase.REGISTERING || phase == Phase.RUNNING;
  }

  /** Whether its container was asked for, so that no volume can come into its sandbox any more. */
  boolean begun() {
    return begun;
  }

  /** Lets tasks wait that come to it while it is {@link #open}. */
  void enqueue(Batch batch) {
    queue.add(batch);
    for (AgentTask task : batch.tasks) {
      tasks.put(task.id(), task);
      framework.has(task);
      host.updates().staged(task);
      host.usage().add(task.info.getResourcesList());
    }
  }

  /** Tasks that wait may be launched; nothing where they were killed or given up meanwhile. */
  void ready(Batch batch, Map<String, String> variables) {
    if (!queue.contains(batch)) {
      return;
    }
    if (!begun) {
      added.putAll(variables);
    }
    host.records().keep(this, batch.tasks).whenComplete((kept, failure) -> kept(batch, failure));
  }

  /** Nothing is launched that a restart of the agent would forget. */
  private void kept(Batch batch, Throwable failure) {
    if (!queue.contains(batch)) {
      return;
    }
    if (failure != null) {
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      fail(batch, "The agent cannot keep it on disk: " + cause.getMessage());
      return;
    }
    if (begun) {
      runner.admit(batch.tasks).whenComplete((room, reason) -> admitted(batch, reason));
    } else {
      launchable(batch);
    }
  }

  private void admitted(Batch batch, Throwable failure) {
    if (!queue.contains(batch)) {
      return;
    }
    Throwable reason = failure instanceof CompletionException ? failure.getCause() : failure;
    if (reason == null) {
      launchable(batch);
    } else if (reason instanceof ContainerRoom.UpdateException) {
      host.launchErrors().increment();
      drop(batch, task -> notUpdated(task, reason.getMessage()));
    } else {
      fail(batch, TaskContainers.message(reason));
    }
  }

  private TaskStatus.Builder notUpdated(AgentTask task, String message) {
    LOG.warn("Task '{}' is not launched: its container does not grow: {}", task.id(), message);
    return host.updates()
        .fromAgent(task.info.getTaskId(), States.forFramework(framework.info, TaskState.TASK_GONE))
        .setExecutorId(info.getExecutorId())
        .setReason(Reason.REASON_CONTAINER_UPDATE_FAILED)
        .setMessage("Failed to update the resources of its executor's container: " + message);
  }

  private void launchable(Batch batch) {
    batch.ready = true;
    try {
      advance();
    } catch (RuntimeException | LinkageError e) {
      LOG.error("Launching by executor '{}' failed", id(), e);
      fail(batch, e.toString());
    }
  }

  /** What the journal knows it as. */
  ExecutorEntry.Kind kind() {
    return generated
        ? ExecutorEntry.Kind.COMMAND
        : info.getType() == ExecutorInfo.Type.DEFAULT
            ? ExecutorEntry.Kind.DEFAULT
            : ExecutorEntry.Kind.CUSTOM;
  }

  /**
   * Goes on with what an earlier process of the agent left.
   *
   * @param left with those whose end was told and is not acknowledged
   * @param containers as of {@link ExecutorRun#resume}
   * @param why nothing is left of its container
   */
  void resume(
      List<AgentTask> left,
      Function<String, Optional<Containerizer.Recovered>> containers,
      String why) {
    begun = true;
    launched = true;
    List<AgentTask> active = new ArrayList<>();
    TaskVolumes all = volumes;
    for (AgentTask task : left) {
      tasks.put(task.id(), task);
      framework.has(task);
      host.updates().staged(task);
      if (!task.terminal()) {
        host.usage().add(task.info.getResourcesList());
        active.add(task);
      }
    }
    try {
      all = volumesWith(active);
    } catch (IOException e) {
      LOG.warn("The volumes of executor '{}' are not shown: {}", id(), e.getMessage());
    }
    host.sandboxes().show(this, generated && !left.isEmpty() ? left.get(0).user() : user(), all);
    if (active.isEmpty() && generated) {
      // Its end was told; whatever still runs of it does so for nobody.
      over(-1, this::killedBeforeLaunch);
    } else {
      runner.resume(active, containers, why);
    }
  }

  /** Its run takes tasks now: from the first time on it is RUNNING. */
  void registered() {
    if (phase == Phase.REGISTERING) {
      move(Phase.RUNNING);
      host.records().changed(this);
    }
    advance();
  }

  private void advance() {
    if (!begun && open() && !queue.isEmpty() && queue.peek().ready) {
      begun = true;
      List<AgentTask> first = new ArrayList<>();
      for (Batch batch : queue) {
        if (!batch.ready) {
          break;
        }
        first.addAll(batch.tasks);
      }
      runner.start(first, Map.copyOf(added));
    }
    while (phase == Phase.RUNNING && runner.ready() && !queue.isEmpty() && queue.peek().ready) {
      Batch next = queue.remove();
      launched = true;
      runner.launch(next);
    }
  }

  /**
   * The volumes that its container begins with: its own, and those of its first tasks.
   *
   * @throws IOException when two would appear inside each other
   */
  TaskVolumes volumesWith(List<AgentTask> first) throws IOException {
    TaskVolumes all = volumes;
    for (AgentTask task : first) {
      all = all.and(task.volumes);
    }
    return all;
  }

  /** The volumes of its own resources. */
  TaskVolumes volumes() {
    return volumes;
  }

  /** What of volumes and folders on the way is given to its user. */
  List<Path> owned(TaskVolumes all) {
    return owned(all, sandbox);
  }

  /** The same of volumes that appear in some folder of its sandbox. */
  List<Path> owned(TaskVolumes all, Path at) {
    return all.isEmpty() ? List.of() : all.owned(at, host.outcome().volumesBeside(this));
  }

  /** What of volumes that come later is given to its user. */
  List<Path> ownedLater(TaskVolumes more) {
    return more.isEmpty() ? List.of() : more.owned(host.outcome().volumesBeside(this));
  }

  /** Persistent volumes that it holds, allocated to nobody. */
  Resources volumesInUse() {
    Resources used = phase == Phase.TERMINATED ? Resources.EMPTY : volumes.resources();
    for (AgentTask task : tasks.values()) {
      if (!task.volumes.isEmpty() && !task.terminal() && phase != Phase.TERMINATED) {
        used = used.plus(task.volumes.resources());
      }
    }
    return used;
  }

  // What becomes of tasks.

  /** Gives up tasks that wait; what they were to be told is told. */
  void drop(Batch batch, Function<AgentTask, TaskStatus.Builder> last) {
    if (queue.remove(batch)) {
      batch.tasks.forEach(task -> tell(task, last.apply(task)));
      endIfUseless();
    }
  }

  /** Tasks could not be launched, by a mistake. */
  void fail(Batch batch, String message) {
    host.launchErrors().increment();
    queue.remove(batch);
    batch.tasks.forEach(task -> tell(task, launchFailed(task, message)));
    if (generated && phase != Phase.TERMINATED) {
      over(-1, task -> launchFailed(task, message));
    } else {
      endIfUseless();
    }
  }

  private TaskStatus.Builder launchFailed(AgentTask task, String message) {
    LOG.warn("Task '{}' could not be launched: {}", task.id(), message);
    return host.updates()
        .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
        .setExecutorId(info.getExecutorId())
        .setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED)
        .setMessage("Failed to launch container: " + message);
  }

  /** Whether a task was not given to its run yet. */
  boolean waits(AgentTask task) {
    return queue.stream().anyMatch(batch -> batch.tasks.contains(task));
  }

  /** Tells of a task; with its end its resources are free. Complete as of {@link TaskUpdates}. */
  CompletionStage<?> tell(AgentTask task, TaskStatus.Builder status) {
    boolean before = task.terminal();
    CompletionStage<?> told = host.updates().tell(task, status);
    ended(task, before);
    return told;
  }

  private void ended(AgentTask task, boolean before) {
    if (!before && task.terminal()) {
      host.usage().remove(task.info.getResourcesList());
      host.hooks().taskRemoved(framework.info.getId(), task.info);
      if (begun && phase != Phase.TERMINATED) {
        runner.left();
      }
    }
  }

  /**
   * Kills a task, with its whole group while that waits (rule 114); nothing if it has ended.
   *
   * @param policy of the kill; where it says nothing the task's counts
   */
  void kill(AgentTask task, KillPolicy policy) {
    if (task.terminal() || phase == Phase.TERMINATED) {
      return;
    }
    Optional<Batch> waits =
        queue.stream().filter(batch -> batch.contains(task.info.getTaskId())).findFirst();
    if (waits.isPresent()) {
      drop(waits.get(), this::killedBeforeLaunch);
    } else {
      runner.kill(task, policy);
    }
  }

  TaskStatus.Builder killedBeforeLaunch(AgentTask task) {
    return host.updates()
        .fromAgent(task.info.getTaskId(), TaskState.TASK_KILLED)
        .setReason(Reason.REASON_TASK_KILLED_DURING_LAUNCH)
        .setMessage("Task killed while it was being launched");
  }

  /** An executor that never had a task and gets none is ended (rule 115). */
  private void endIfUseless() {
    if (!queue.isEmpty() || launched || !open()) {
      return;
    }
    if (begun) {
      shutdown(grace());
    } else {
      over(-1, this::killedBeforeLaunch);
    }
  }

  // Ending.

  /** How long it may take for its end: its own word, else {@code --executor_shutdown_...}. */
  Duration grace() {
    return info.hasShutdownGracePeriod()
        ? Duration.ofNanos(info.getShutdownGracePeriod().getNanoseconds())
        : host.limits().shutdownGrace();
  }

  /** Ends it, with grace; its tasks end with it. */
  void shutdown(Duration grace) {
    if (!open()) {
      return;
    }
    if (!begun) {
      over(-1, this::killedBeforeLaunch);
      return;
    }
    move(Phase.TERMINATING);
    runner.shutdown(grace);
  }

  /**
   * Ends it at once, because what it holds is taken back (rule 319).
   *
   * @param why for people
   * @return false if it is to end already, or holds nothing revocable
   */
  boolean preempt(String why) {
    if (!open() || resources().stream().noneMatch(Resource::hasRevocable)) {
      return false;
    }
    LOG.info("Executor '{}' of framework {} is preempted: {}", id(), framework.id(), why);
    Function<AgentTask, TaskStatus.Builder> last =
        task ->
            host.updates()
                .fromAgent(
                    task.info.getTaskId(), States.forFramework(framework.info, TaskState.TASK_GONE))
                .setExecutorId(info.getExecutorId())
                .setReason(Reason.REASON_CONTAINER_PREEMPTED)
                .setMessage("Container preempted by QoS correction: " + why);
    if (!begun) {
      over(-1, last);
    } else {
      move(Phase.TERMINATING);
      runner.preempt(last);
    }
    return true;
  }

  /** It is to end and was already asked, or need not be: its run ends it. */
  void terminating() {
    if (open()) {
      move(Phase.TERMINATING);
    }
  }

  /** Its container could not be made; says so of all its tasks. */
  void failed(String message) {
    if (phase != Phase.TERMINATED) {
      host.launchErrors().increment();
      over(-1, task -> launchFailed(task, message));
    }
  }

  /**
   * Its container is gone, or will never be. Once.
   *
   * @param status raw wait status, -1 when it is not known
   * @param last what is told of tasks that have not ended
   */
  void over(int status, Function<AgentTask, TaskStatus.Builder> last) {
    if (phase == Phase.TERMINATED) {
      return;
    }
    queue.clear();
    List<CompletableFuture<?>> told = new ArrayList<>();
    for (AgentTask task : List.copyOf(tasks.values())) {
      if (!task.terminal()) {
        told.add(tell(task, last.apply(task)).toCompletableFuture());
      }
    }
    CompletableFuture.allOf(told.toArray(CompletableFuture[]::new))
        .whenComplete((all, failure) -> host.containers().forget(container()));
    move(Phase.TERMINATED);
    if (begun && !framework.terminating && !tasks.isEmpty()) {
      host.records().changed(this);
    }
    host.usage().remove(info.getResourcesList());
    if (framework.terminating) {
      for (AgentTask task : tasks.values()) {
        boolean before = task.terminal();
        host.updates().endUntold(task);
        ended(task, before);
      }
    }
    // Not before the last of its processes is gone.
    runner
        .destroy()
        .whenComplete(
            (gone, failure) -> {
              host.sandboxes().leave(run);
              if (begun) {
                host.hooks().executorRemoved(framework.info, info);
              }
            });
    if (!generated) {
      host.outcome().exited(framework, info, status);
    }
    if (framework.terminating) {
      forget();
    } else {
      settle();
    }
  }

  /** Nobody acknowledges any more what is told of its tasks. */
  void forget() {
    List.copyOf(tasks.values()).forEach(this::remove);
    settle();
  }

  /** The framework knows of a task's end. */
  void acknowledged(AgentTask task) {
    remove(task);
    settle();
  }

  private void remove(AgentTask task) {
    if (tasks.remove(task.id(), task)) {
      framework.lost(task);
      host.records().forget(task);
      completed.add(task.task);
      if (completed.size() > MOST_COMPLETED_TASKS) {
        completed.remove();
      }
    }
  }

  private void settle() {
    if (phase == Phase.TERMINATED && tasks.isEmpty()) {
      host.records().forget(this);
      host.outcome().settled(this);
    }
  }

  // Messages.

  /** Hands on what the framework says; false where nobody takes it (rule 122). */
  boolean message(ByteString data) {
    return phase == Phase.RUNNING && runner.message(data);
  }

  // Looking.

  /** What it holds: its own resources, and those of its tasks that have not ended. */
  private List<Resource> resources() {
    List<Resource> all = new ArrayList<>();
    if (phase != Phase.TERMINATED) {
      all.addAll(info.getResourcesList());
    }
    for (AgentTask task : tasks.values()) {
      if (!task.terminal()) {
        all.addAll(task.info.getResourcesList());
      }
    }
    return all;
  }

  /** It at this moment. */
  AgentTasks.ExecutorView view() {
    List<Task> waiting = new ArrayList<>();
    List<Task> running = new ArrayList<>();
    List<Task> ended = new ArrayList<>();
    for (AgentTask task : tasks.values()) {
      boolean queued = !generated && waits(task);
      (task.terminal() ? ended : queued ? waiting : running).add(task.task);
    }
    return new AgentTasks.ExecutorView(
        info,
        containerId,
        sandbox,
        phase != Phase.TERMINATED,
        runner.nested(),
        resources(),
        waiting,
        running,
        ended,
        List.copyOf(completed));
  }
}
