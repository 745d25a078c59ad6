package org.mezzo.daemon.metrics;

import java.util.OptionalDouble;

/** A timer at one moment, in milliseconds. Immutable. */
public final class TimerReading {
  private final OptionalDouble last;
  private final long count;
  private final double sum;
  private final double[] window;

  /**
   * A reading.
   *
   * @param last the last duration
   * @param count of all durations
   * @param sum of all durations
   * @param window the durations of late, sorted; belongs to the reading from now on
   */
  TimerReading(OptionalDouble last, long count, double sum, double[] window) {
    this.last = last;
    this.count = count;
    this.sum = sum;
    this.window = window;
  }

  /** The last duration; empty before there was one. */
  public OptionalDouble last() {
    return last;
  }

  /** How many there were since the timer was made. */
  public long count() {
    return count;
  }

  /** The sum of all since the timer was made. */
  public double sum() {
    return sum;
  }

  /** How many count as of late. */
  public int recent() {
    return window.length;
  }

  /**
   * What so large a share of those of late does not exceed, between neighbours by linear
   * interpolation; only where there are {@link #recent} ones.
   *
   * @param share from 0, the shortest, to 1, the longest
   */
  public double quantile(double share) {
    double position = share * (window.length - 1);
    int below = (int) position;
    if (below + 1 >= window.length) {
      return window[window.length - 1];
    }
    return window[below] + (position - below) * (window[below + 1] - window[below]);
  }
}
