package org.mezzo.agent.tasks;

import java.util.List;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.resources.Resources;

/**
 * Tasks of one launch, which start together or not at all: one task, or those of a group. For the
 * event loop only.
 *
 * <p>A group of one task is a group, too.
 */
final class Batch {
  final List<AgentTask> tasks;
  final boolean group;

  /** Whether hooks have seen it and what it uses is there. */
  boolean ready;

  /** One task. */
  Batch(List<AgentTask> tasks) {
    this(tasks, false);
  }

  /** Tasks of a group, or one without. */
  Batch(List<AgentTask> tasks, boolean group) {
    this.tasks = List.copyOf(tasks);
    this.group = group;
  }

  boolean contains(TaskID task) {
    return tasks.stream().anyMatch(it -> it.info.getTaskId().equals(task));
  }

  /** Persistent volumes of its tasks, allocated to nobody. */
  Resources volumes() {
    Resources all = Resources.EMPTY;
    for (AgentTask task : tasks) {
      all = all.plus(task.volumes.resources());
    }
    return all;
  }
}
