package org.mezzo.agent.checks;

import java.time.Duration;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.HealthCheck;

/**
 * When to look (rules 228 and 229).
 *
 * @param delay before the first time
 * @param interval from a result to the next time
 * @param timeout how long one time may take; zero is for ever
 */
record Schedule(Duration delay, Duration interval, Duration timeout) {
  /** No task is looked at more often, so that an interval of 0 does not busy the agent. */
  static final Duration SHORTEST = Duration.ofMillis(50);

  Schedule {
    interval = interval.compareTo(SHORTEST) < 0 ? SHORTEST : interval;
  }

  static Schedule of(CheckInfo check) {
    return new Schedule(
        seconds(check.getDelaySeconds()),
        seconds(check.getIntervalSeconds()),
        seconds(check.getTimeoutSeconds()));
  }

  static Schedule of(HealthCheck check) {
    return new Schedule(
        seconds(check.getDelaySeconds()),
        seconds(check.getIntervalSeconds()),
        seconds(check.getTimeoutSeconds()));
  }

  /**
   * How long to wait for the first time; after the delay as if it had gone on by the interval, so
   * that not all tasks of an agent are looked at in the instant of its restart.
   *
   * @param ran how long the task has run already
   */
  Duration first(Duration ran) {
    Duration since = ran.minus(delay);
    return since.isNegative() || since.isZero()
        ? since.negated()
        : Duration.ofNanos(interval.toNanos() - since.toNanos() % interval.toNanos());
  }

  /** Whatever a double says, cut to what a timer takes; less than nothing is nothing. */
  static Duration seconds(double seconds) {
    return Duration.ofNanos(Math.max(0, (long) (Math.min(seconds, 1e9) * 1e9)));
  }
}
