package org.mezzo.master.rollouts;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.master.state.Task;

/**
 * Counts how tasks of each agent end, apart before and after a rollout touched it. Belongs to the
 * event loop; keeps two small numbers of each agent and nothing of tasks.
 */
final class TaskCensus implements StateListener {
  /** So many ends are remembered at full weight. */
  private static final long MEMORY = 500;

  private final Runnable failed;
  private final Map<String, TaskOutcomes> usual = new HashMap<>();
  private final Map<String, TaskOutcomes> since = new HashMap<>();
  private Set<String> touched = Set.of();

  /**
   * Has counted nothing.
   *
   * @param failed run when a task failed on an agent that the rollout touched
   */
  TaskCensus(Runnable failed) {
    this.failed = failed;
  }

  @Override
  public void published(MasterState before, MasterState after, List<Happening> happenings) {
    for (Happening happening : happenings) {
      if (happening instanceof Happening.TaskUpdated updated && updated.task().terminal()) {
        ended(before, after, updated.task());
      }
    }
  }

  private void ended(MasterState before, MasterState after, Task task) {
    // News of a check may come after the end, and is about a task that was counted.
    boolean counted =
        Optional.ofNullable(before.frameworks().get(task.frameworkId()))
            .map(framework -> framework.tasks().get(task.id()))
            .filter(Task::terminal)
            .isPresent();
    // What is lost with an agent says nothing of the others, and nobody would forget it.
    if (counted || !after.agents().containsKey(task.agentId())) {
      return;
    }
    Map<String, TaskOutcomes> counts = touched.contains(task.agentId()) ? since : usual;
    TaskOutcomes old = counts.getOrDefault(task.agentId(), TaskOutcomes.NONE);
    TaskOutcomes now = old.with(task.state());
    counts.put(task.agentId(), now.ended() > MEMORY ? now.halved() : now);
    if (counts == since && now.failed() > old.failed()) {
      failed.run();
    }
  }

  /** Follows a rollout; without one, what was counted since it touched agents is what is usual. */
  void follow(Optional<Rollout> rollout) {
    Set<String> now =
        rollout
            .filter(Rollout::forward)
            .map(it -> (Set<String>) new HashSet<>(it.touched()))
            .orElse(Set.of());
    for (String agentId : touched) {
      if (!now.contains(agentId)) {
        TaskOutcomes counted = since.remove(agentId);
        if (counted != null && rollout.filter(it -> it.state() == Rollout.State.DONE).isPresent()) {
          usual.merge(agentId, counted, TaskOutcomes::plus);
        }
      }
    }
    touched = now;
  }

  /** Forgets an agent that is not part of the cluster any more. */
  void forget(String agentId) {
    usual.remove(agentId);
    since.remove(agentId);
  }

  TaskHistory of(String agentId) {
    return new TaskHistory(
        usual.getOrDefault(agentId, TaskOutcomes.NONE),
        since.getOrDefault(agentId, TaskOutcomes.NONE));
  }
}
