package org.mezzo.agent.tasks;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.agent.recovery.Journal;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.PastExecutorEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;

/** Executors and tasks as the journal keeps them. For the event loop only. */
public final class TaskRecords {
  private final Journal journal;

  /** Keeps nothing yet. */
  public TaskRecords(Journal journal) {
    this.journal = journal;
  }

  /** The framework, as it is now. */
  void framework(FrameworkInfo framework) {
    journal.framework(framework);
  }

  /** The framework has no executors any more. */
  void release(FrameworkID framework) {
    journal.release(framework);
  }

  /**
   * An executor and tasks that are to be launched by it.
   *
   * @return complete when nothing that happens to this process can have them forgotten
   */
  CompletionStage<Void> keep(AgentExecutor executor, List<AgentTask> tasks) {
    CompletableFuture<Void> executorKept = changed(executor).toCompletableFuture();
    CompletableFuture<?>[] all =
        tasks.stream()
            .map(task -> changed(task).toCompletableFuture())
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(all).thenCombine(executorKept, (tasksKept, kept) -> null);
  }

  /** The executor, as it is now. */
  CompletionStage<Void> changed(AgentExecutor executor) {
    return journal.executor(
        ExecutorEntry.newBuilder()
            .setFrameworkId(executor.framework.info.getId())
            .setExecutor(executor.info)
            .setKind(executor.kind())
            .setContainerId(ContainerID.newBuilder().setValue(executor.containerId))
            .setSandbox(executor.sandbox.toString())
            .setSubscribed(executor.phase() != AgentExecutor.Phase.REGISTERING)
            .setRootRefused(executor.rootRefused)
            .setEnded(executor.phase() == AgentExecutor.Phase.TERMINATED)
            .build());
  }

  /**
   * An executor of which everything is told, to be looked at later.
   *
   * @param most how many of a framework are kept
   */
  void ended(AgentExecutor executor, int most) {
    if (!executor.framework.info.getCheckpoint()) {
      return;
    }
    AgentTasks.ExecutorView view = executor.view();
    journal.ended(
        executor.framework.info,
        PastExecutorEntry.newBuilder()
            .setFrameworkId(executor.framework.info.getId())
            .setExecutor(view.info())
            .setContainerId(ContainerID.newBuilder().setValue(view.containerId()))
            .setSandbox(view.sandbox().toString())
            .setUser(executor.host().sandboxes().user(executor.run))
            .addAllTasks(view.completedTasks())
            .build(),
        most);
  }

  /** Executors of a framework's past are not shown any more. */
  void forgetPast(FrameworkID framework) {
    journal.forgetPast(framework);
  }

  /** The task, as it is now. */
  CompletionStage<Void> changed(AgentTask task) {
    TaskEntry.Builder entry =
        TaskEntry.newBuilder()
            .setFrameworkId(task.framework().info.getId())
            .setExecutorId(task.executor.info.getExecutorId())
            .setInfo(task.info)
            .setTask(task.task)
            .setContainerStatus(task.containerStatus)
            .setGroup(task.group)
            .putAllAdded(task.added);
    task.killedUntil.ifPresent(until -> entry.setKilledUntilMillis(until.toEpochMilli()));
    task.runningSince.ifPresent(since -> entry.setRunningSinceMillis(since.toEpochMilli()));
    if (task.healthFailures > 0) {
      entry.setHealthFailures(task.healthFailures);
    }
    return journal.task(entry.build());
  }

  /** The end of a task is acknowledged. */
  void forget(AgentTask task) {
    journal.forget(task.framework().info.getId(), task.info.getTaskId());
  }

  /** Nothing is left to do or to tell of an executor. */
  void forget(AgentExecutor executor) {
    journal.forget(executor.framework.info.getId(), executor.info.getExecutorId());
  }
}
