package org.mezzo.master.rollouts;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/**
 * Whether tasks fail more often since hosts were changed. They are compared with how often they
 * failed before, there and on hosts that are as they were, so that a cluster whose tasks fail all
 * the time can be changed as well.
 */
final class FailureRule {
  /** Fewer failures say nothing. */
  private static final long FEWEST = 5;

  /**
   * Weighs in what is usual as if so many tasks had ended before, one in ten badly: little is known
   * at the beginning of a term.
   */
  private static final long PRIOR_ENDED = 20;

  private static final long PRIOR_FAILED = 2;

  private FailureRule() {}

  /**
   * What speaks against going on.
   *
   * @param usual how tasks ended without the change
   * @param since how they ended with it
   * @param more so many of a hundred more may fail than twice what is usual
   * @return for people; empty when nothing does
   */
  static Optional<String> problem(
      Collection<TaskOutcomes> usual, Collection<TaskOutcomes> since, int more) {
    TaskOutcomes before = usual.stream().reduce(TaskOutcomes.NONE, TaskOutcomes::plus);
    TaskOutcomes after = since.stream().reduce(TaskOutcomes.NONE, TaskOutcomes::plus);
    if (after.failed() < FEWEST) {
      return Optional.empty();
    }
    double expected = (before.failed() + PRIOR_FAILED) / (double) (before.ended() + PRIOR_ENDED);
    double allowed = 2 * expected + more / 100.0;
    double share = after.failed() / (double) after.ended();
    return share <= allowed
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "%d of %d tasks that ended since failed, and %d of %d before: at most %.0f%% may",
                after.failed(),
                after.ended(),
                before.failed(),
                before.ended(),
                allowed * 100));
  }
}
