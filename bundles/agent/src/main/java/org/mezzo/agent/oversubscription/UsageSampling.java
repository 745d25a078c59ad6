package org.mezzo.agent.oversubscription;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.AgentTasks.ExecutorView;
import org.mezzo.agent.tasks.AgentTasks.FrameworkView;
import org.mezzo.agent.tasks.ContainerUsage;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.Task;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * Looks at what runs: who holds what is of one moment on the event loop, what is used of it is
 * measured after that.
 */
public final class UsageSampling {
  private final Supplier<AgentTasks.View> tasks;
  private final ContainerUsage containers;
  private final Supplier<Resources> total;

  /**
   * Looks at nothing yet.
   *
   * @param tasks everything at one moment; asked on the event loop
   * @param total all that the agent has of its own
   */
  public UsageSampling(
      Supplier<AgentTasks.View> tasks, ContainerUsage containers, Supplier<Resources> total) {
    this.tasks = tasks;
    this.containers = containers;
    this.total = total;
  }

  /** What is revocable of what executors hold now, without allocation roles. On the loop only. */
  Resources revocable() {
    return revocable(tasks.get());
  }

  private static Resources revocable(AgentTasks.View view) {
    List<Resource> revocable = new ArrayList<>();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        executor.resources().stream().filter(Resource::hasRevocable).forEach(revocable::add);
      }
    }
    try {
      return Resources.of(revocable).unallocated();
    } catch (ResourceFormatException e) {
      throw new IllegalStateException("A running task has unreadable resources", e);
    }
  }

  /** Looks; to be called on the event loop. Completes anywhere. */
  CompletionStage<UsageSample> sample() {
    AgentTasks.View view = tasks.get();
    CompletionStage<ResourceUsage.Builder> all =
        CompletableFuture.completedStage(
            ResourceUsage.newBuilder()
                .addAllTotal(total.get().toMessages(Resources.Format.POST_REFINEMENT)));
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        if (executor.running()) {
          ResourceUsage.Executor.Builder one = describe(framework, executor);
          all = all.thenCombine(used(executor), (usage, used) -> add(usage, one, used));
        }
      }
    }
    Resources revocable = revocable(view);
    return all.thenApply(usage -> new UsageSample(usage.build(), revocable));
  }

  private CompletionStage<Optional<ResourceStatistics>> used(ExecutorView executor) {
    return containers.of(executor).exceptionally(failure -> Optional.empty());
  }

  private static ResourceUsage.Builder add(
      ResourceUsage.Builder usage,
      ResourceUsage.Executor.Builder executor,
      Optional<ResourceStatistics> used) {
    used.ifPresent(executor::setStatistics);
    return usage.addExecutors(executor);
  }

  private static ResourceUsage.Executor.Builder describe(
      FrameworkView framework, ExecutorView executor) {
    ResourceUsage.Executor.Builder one =
        ResourceUsage.Executor.newBuilder()
            .setExecutorInfo(executor.info().toBuilder().setFrameworkId(framework.info().getId()))
            .setContainerId(ContainerID.newBuilder().setValue(executor.containerId()))
            .addAllAllocated(executor.resources());
    executor.queuedTasks().forEach(task -> one.addTasks(describe(task)));
    executor.tasks().forEach(task -> one.addTasks(describe(task)));
    return one;
  }

  private static ResourceUsage.Executor.Task.Builder describe(Task task) {
    ResourceUsage.Executor.Task.Builder one =
        ResourceUsage.Executor.Task.newBuilder()
            .setName(task.getName())
            .setId(task.getTaskId())
            .addAllResources(task.getResourcesList());
    if (task.hasLabels()) {
      one.setLabels(task.getLabels());
    }
    return one;
  }
}
