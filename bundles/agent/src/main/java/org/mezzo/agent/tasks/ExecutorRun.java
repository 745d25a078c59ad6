package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskStatus;

/**
 * What runs the tasks of one executor: the agent itself ({@link CommandRun}), or a process that
 * speaks the executor API ({@link HttpRun}). {@link AgentExecutor} keeps the phases, the queue and
 * what is known of the tasks, and calls this; back goes what happens, to {@link
 * AgentExecutor#registered}, {@link AgentExecutor#started}, {@link AgentExecutor#failed} and {@link
 * AgentExecutor#terminated}, and what is told of tasks, to {@link TaskUpdates}.
 *
 * <p>One for each executor, which knows it. For the event loop only; nothing here blocks.
 */
interface ExecutorRun {

  /**
   * Begins, once, before anything is launched: what it needs before it can take tasks is made now.
   *
   * @param first the tasks that wait and will be launched once {@link #ready}
   * @param added variables of hooks, which win over the executor's own
   */
  void start(List<AgentTask> first, Map<String, String> added);

  /**
   * Goes on with what an earlier process of the agent left, instead of {@link #start} and {@link
   * #launch}.
   *
   * @param tasks that it was given and whose end is not acknowledged
   * @param left a container by its id with those of its parents; empty where there is none, because
   *     it never came to be or the machine was rebooted
   * @param why nothing is left, for people
   */
  void resume(
      List<AgentTask> tasks, Function<String, Optional<Containerizer.Recovered>> left, String why);

  /** Whether it can take tasks now; when that changes to true it says so by {@code registered}. */
  boolean ready();

  /**
   * Makes room for tasks that come to it once it was started, and will be launched then.
   *
   * @return completes on the event loop; exceptionally as of {@link ContainerRoom#admit}
   */
  default CompletionStage<?> admit(List<AgentTask> tasks) {
    return CompletableFuture.completedStage(null);
  }

  /** A task has ended, and needs no room any more. */
  default void left() {}

  /**
   * Launches tasks that start together or not at all.
   *
   * @param batch one task, or a group where this takes any
   */
  void launch(Batch batch);

  /**
   * Kills a task that was launched and has not ended; called again when somebody asks again.
   *
   * @param policy of the kill; where it says nothing the task's counts
   */
  void kill(AgentTask task, KillPolicy policy);

  /**
   * Ends everything, with grace; the first time only. What remains after it is destroyed. What
   * comes of it is told by {@code terminated}, as any other end.
   *
   * @param grace between asking and ending, for the executor as a whole
   */
  void shutdown(Duration grace);

  /**
   * Destroys everything at once, though nobody asked it to end (rule 319). That it is over is told
   * by {@code terminated}, as any other end.
   *
   * @param last what is told of tasks that have not ended
   */
  void preempt(Function<AgentTask, TaskStatus.Builder> last);

  /** Destroys what is left of it; complete when the last of its processes is gone. */
  CompletionStage<?> destroy();

  /** The containers of its tasks, where these have their own. */
  default List<ContainerId> nested() {
    return List.of();
  }

  /** Hands on what the framework says; false where nobody takes it (rule 122). */
  boolean message(ByteString data);
}
