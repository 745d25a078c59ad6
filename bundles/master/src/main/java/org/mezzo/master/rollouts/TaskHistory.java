package org.mezzo.master.rollouts;

/**
 * How tasks of a host ended in this term. Immutable.
 *
 * @param usual lately, with what the host had before the rollout that is under way touched it
 * @param since since the rollout that is under way touched it; nothing of one that it did not
 */
record TaskHistory(TaskOutcomes usual, TaskOutcomes since) {
  static final TaskHistory NONE = new TaskHistory(TaskOutcomes.NONE, TaskOutcomes.NONE);
}
