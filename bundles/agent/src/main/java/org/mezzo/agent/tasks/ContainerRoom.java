package org.mezzo.agent.tasks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.resources.ResourceFormatException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The container of an executor, as it follows the tasks that run in it (rule 189): before a task
 * comes to it, it has the task's volumes and resources; after one has ended it has them no more.
 * One change follows the other. For the event loop only.
 */
final class ContainerRoom {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerRoom.class);

  /** The container could not be given what tasks need of it. */
  static final class UpdateException extends Exception {
    private static final long serialVersionUID = 1;

    UpdateException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private interface Change {
    CompletionStage<?> begin() throws IOException, ResourceFormatException;
  }

  private final AgentExecutor executor;
  private final ExecutorHost host;

  /** The end of the line of changes. */
  private CompletionStage<?> last = CompletableFuture.completedStage(null);

  /** What appears in its sandbox. */
  private TaskVolumes placed = TaskVolumes.NONE;

  /** A change waits that will see all tasks that have ended. */
  private boolean leaving;

  private boolean over;

  ContainerRoom(AgentExecutor executor) {
    this.executor = executor;
    this.host = executor.host();
  }

  /** The container begins with these volumes, and with what the tasks before it need. */
  void began(TaskVolumes with) {
    placed = with;
  }

  /** The container is gone, or will never be. */
  void over() {
    over = true;
  }

  /**
   * Makes room for tasks, which are among the executor's by now.
   *
   * @return completes on the event loop; with an {@link UpdateException} where the container did
   *     not get their resources, otherwise with why their volumes do not appear
   */
  CompletionStage<?> admit(List<AgentTask> tasks) {
    return after(
        () -> {
          TaskVolumes all = placed;
          for (AgentTask task : tasks) {
            all = task.terminal() ? all : all.and(task.volumes);
          }
          TaskVolumes more = all.without(placed);
          if (more.volumes().isEmpty()) {
            return resize();
          }
          TaskVolumes then = all;
          return host.containers()
              .appear(executor, more)
              .thenCompose(
                  made -> {
                    placed = then;
                    host.sandboxes().showMore(executor, more);
                    return resize();
                  });
        });
  }

  /** A task has ended. */
  void left() {
    if (leaving) {
      return;
    }
    leaving = true;
    after(
            () -> {
              leaving = false;
              TaskVolumes needed = executor.volumes();
              for (AgentTask task : executor.tasks()) {
                // What is placed of them fits each other.
                needed = task.terminal() ? needed : needed.and(task.volumes);
              }
              TaskVolumes unused = placed.without(needed);
              if (unused.volumes().isEmpty()) {
                return resize();
              }
              placed = placed.without(unused);
              host.sandboxes().hide(executor, unused);
              return host.containers()
                  .disappear(executor, unused)
                  .handle((done, failure) -> null)
                  .thenCompose(done -> resize());
            })
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                LOG.warn(
                    "The container of executor '{}' keeps more than its tasks need: {}",
                    executor.id(),
                    TaskContainers.message(failure));
              }
            });
  }

  private CompletionStage<?> resize() {
    List<AgentTask> running = new ArrayList<>();
    for (AgentTask task : executor.tasks()) {
      if (!task.terminal()) {
        running.add(task);
      }
    }
    CompletionStage<?> told;
    try {
      told = host.containers().resize(executor, running);
    } catch (ResourceFormatException e) {
      told = CompletableFuture.failedStage(e);
    }
    return told.exceptionallyCompose(
        failure ->
            CompletableFuture.failedStage(
                new UpdateException(TaskContainers.message(failure), failure)));
  }

  private CompletionStage<?> after(Change change) {
    CompletionStage<?> next =
        last.handle((before, failure) -> null)
            .thenCompose(
                before -> {
                  if (over) {
                    return CompletableFuture.completedStage(null);
                  }
                  try {
                    return change.begin();
                  } catch (IOException | ResourceFormatException | RuntimeException e) {
                    return CompletableFuture.failedStage(e);
                  }
                });
    last = next;
    return next;
  }
}
