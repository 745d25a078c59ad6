package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.agent.updates.States;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Mesos has its default executor for: runs groups of tasks, each task in a container of its
 * own within the executor's, and ends a group with the first of its tasks that does not finish
 * (rules 211 to 225). There is no process for the executor itself: it begins with its first group
 * and is over with the last of its containers. For the event loop only.
 */
final class DefaultRun implements ExecutorRun {
  private static final Logger LOG = LoggerFactory.getLogger(DefaultRun.class);

  /** What a task has that ends because others do, whatever its own policy says (rule 217). */
  private static final Duration GRACE = Duration.ofSeconds(3);

  private final AgentExecutor executor;
  private final ExecutorHost host;
  private final Ending ending;

  /** Tasks whose container is not gone, by id. */
  private final Map<String, GroupTask> running = new LinkedHashMap<>();

  /** Completes on the loop when its container is there. */
  private CompletionStage<Void> enclosure = CompletableFuture.completedFuture(null);

  /** Complete when no process of the containers that ended is left. */
  private CompletionStage<Void> gone = CompletableFuture.completedFuture(null);

  /** What is told of a task that came too late. */
  private Function<AgentTask, TaskStatus.Builder> last = this::tooLate;

  DefaultRun(AgentExecutor executor) {
    this.executor = executor;
    this.host = executor.host();
    this.ending = new Ending(host.timers(), this::killAll, this::outOfGrace);
  }

  /** Whether an executor is one that the agent has to play. */
  static boolean runs(ExecutorInfo executor) {
    return executor.getType() == ExecutorInfo.Type.DEFAULT;
  }

  // Launching.

  @Override
  public void start(List<AgentTask> first, Map<String, String> added) {
    host.sandboxes().show(executor, executor.user(), executor.volumes());
    enclosure =
        host.containers()
            .enclose(executor.container(), executor.sandbox, executor.user(), executor.volumes());
  }

  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public void launch(Batch batch) {
    List<GroupTask> group = new ArrayList<>();
    String name = UUID.randomUUID().toString();
    for (AgentTask task : batch.tasks) {
      task.group = name;
      GroupTask one = new GroupTask(this, task, newContainer(), group);
      group.add(one);
      running.put(task.id(), one);
    }
    group.forEach(GroupTask::starting);
    enclosure.whenComplete(
        (made, failure) -> {
          if (failure != null) {
            executor.failed(TaskContainers.message(failure));
          } else {
            group.forEach(GroupTask::launch);
          }
        });
  }

  @Override
  public void resume(
      List<AgentTask> tasks, Function<String, Optional<Containerizer.Recovered>> left, String why) {
    Map<String, List<GroupTask>> groups = new LinkedHashMap<>();
    for (AgentTask task : tasks) {
      List<GroupTask> group = groups.computeIfAbsent(task.group, unused -> new ArrayList<>());
      Optional<ContainerId> known =
          Optional.of(task.containerStatus.getContainerId())
              .filter(ContainerID::hasParent)
              .map(ContainerId::of);
      ContainerId container = known.orElseGet(this::newContainer);
      GroupTask one = new GroupTask(this, task, container, group);
      group.add(one);
      running.put(task.id(), one);
      one.found(left.apply(container.toString()));
    }
    // Not before all are known, for the end of one may end others.
    List.copyOf(running.values())
        .forEach(one -> one.resume(left.apply(one.containerId.toString()), why));
    if (tasks.isEmpty()) {
      executor.over(0, last);
    }
  }

  private ContainerId newContainer() {
    return executor.container().child(UUID.randomUUID().toString());
  }

  AgentExecutor executor() {
    return executor;
  }

  // Ending.

  @Override
  public void kill(AgentTask task, KillPolicy policy) {
    GroupTask one = running.get(task.id());
    if (one != null) {
      one.kill(RunningCommand.grace(task.info.getKillPolicy(), policy));
    }
  }

  /**
   * The container of a task is gone, or will never be, and its end was told; what is left of its
   * group is killed unless it finished.
   */
  void ended(GroupTask one, List<GroupTask> group) {
    running.remove(one.task.id());
    gone =
        gone.thenCombine(
            host.containers().destroy(one.containerId).handle((done, failure) -> null),
            (before, now) -> null);
    if (one.task.task.getState() != TaskState.TASK_FINISHED) {
      for (GroupTask other : group) {
        if (other.begin(GroupTask.Cause.KILLED)) {
          LOG.info(
              "Task '{}' is killed: '{}' of the same group has ended",
              other.task.id(),
              one.task.id());
          other.end(GRACE);
        }
      }
    }
    if (running.isEmpty()) {
      ending.over();
      executor.over(0, last);
    }
  }

  /** A group that came when the executor was about to end (rule 225). */
  private TaskStatus.Builder tooLate(AgentTask task) {
    return host.updates()
        .fromAgent(
            task.info.getTaskId(),
            States.forFramework(executor.framework.info, TaskState.TASK_DROPPED))
        .setReason(Reason.REASON_EXECUTOR_TERMINATED)
        .setMessage("Executor '" + executor.id() + "' has ended");
  }

  @Override
  public void shutdown(Duration grace) {
    ending.within(grace);
  }

  @Override
  public void preempt(Function<AgentTask, TaskStatus.Builder> words) {
    last = words;
    List<GroupTask> all = List.copyOf(running.values());
    if (all.isEmpty()) {
      executor.over(0, last);
    }
    // Not before all are known to go for the same reason: the end of one may end others.
    all.forEach(one -> one.preempt(words.apply(one.task)));
    all.forEach(GroupTask::destroy);
  }

  private void killAll() {
    for (GroupTask one : List.copyOf(running.values())) {
      one.kill(GRACE);
    }
  }

  private void outOfGrace() {
    LOG.info("Executor '{}' did not end within its grace and is destroyed", executor.id());
    for (GroupTask one : List.copyOf(running.values())) {
      host.containers().destroy(one.containerId);
    }
  }

  @Override
  public CompletionStage<?> destroy() {
    // A task that is told to have ended has no container, or one that is being destroyed; there may
    // be others that operators have put there.
    return gone.thenCombine(
        host.containers().destroy(executor.container()), (tasks, itself) -> null);
  }

  @Override
  public boolean message(ByteString data) {
    // The default executor knows no messages, and leaves them unread.
    return true;
  }

  @Override
  public List<ContainerId> nested() {
    return running.values().stream().map(one -> one.containerId).toList();
  }
}
