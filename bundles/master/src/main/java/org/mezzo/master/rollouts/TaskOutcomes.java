package org.mezzo.master.rollouts;

import org.mezzo.protocol.v1.TaskState;

/**
 * How tasks ended. Immutable.
 *
 * @param ended how many ended
 * @param failed how many of them without anybody having wanted it: failed, dropped, lost or in
 *     error
 */
record TaskOutcomes(long ended, long failed) {
  static final TaskOutcomes NONE = new TaskOutcomes(0, 0);

  /** With one more that ended. */
  TaskOutcomes with(TaskState end) {
    boolean bad =
        switch (end) {
          case TASK_FAILED, TASK_ERROR, TASK_DROPPED, TASK_LOST -> true;
          default -> false;
        };
    return new TaskOutcomes(ended + 1, failed + (bad ? 1 : 0));
  }

  TaskOutcomes plus(TaskOutcomes other) {
    return new TaskOutcomes(ended + other.ended, failed + other.failed);
  }

  /** The same share of fewer, so that what comes weighs more. */
  TaskOutcomes halved() {
    return new TaskOutcomes(ended / 2, failed / 2);
  }
}
