package org.mezzo.master.state;

import java.util.Arrays;
import org.mezzo.protocol.v1.TaskState;

/** How many tasks are in which state. Immutable. */
public final class TaskCounts {
  /** There is no task. */
  public static final TaskCounts NONE = new TaskCounts(new int[TaskState.values().length]);

  /** By the ordinal of the state. */
  private final int[] counts;

  private TaskCounts(int[] counts) {
    this.counts = counts;
  }

  /** How many are in that state. */
  public int in(TaskState state) {
    return counts[state.ordinal()];
  }

  /** With one task more. */
  public TaskCounts with(Task task) {
    return plus(task.state(), 1);
  }

  /** With one task less; the same when it is null. */
  public TaskCounts without(Task task) {
    return task == null ? this : plus(task.state(), -1);
  }

  private TaskCounts plus(TaskState state, int more) {
    int[] next = counts.clone();
    next[state.ordinal()] += more;
    return new TaskCounts(next);
  }

  /** With those of one framework in the place of others that are counted. */
  TaskCounts with(TaskCounts before, TaskCounts after) {
    if (before == after) {
      return this;
    }
    int[] next = counts.clone();
    for (int i = 0; i < next.length; i++) {
      next[i] += after.counts[i] - before.counts[i];
    }
    return new TaskCounts(next);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TaskCounts that && Arrays.equals(counts, that.counts);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(counts);
  }

  @Override
  public String toString() {
    return Arrays.toString(counts);
  }
}
