package org.mezzo.daemon.loop;

import java.time.Duration;

/**
 * How long to wait before something that failed is tried again: longer each time, up to a bound.
 * Belongs to one thread.
 */
public final class Backoff {
  private final Duration first;
  private final Duration longest;
  private Duration next;

  /**
   * Nothing has failed yet.
   *
   * @param first the first wait; each one after it is twice the one before
   * @param longest no wait is longer
   */
  public Backoff(Duration first, Duration longest) {
    this.first = first;
    this.longest = longest;
    next = first;
  }

  /** How long to wait this time. */
  public Duration next() {
    Duration wait = next;
    Duration twice = wait.multipliedBy(2);
    next = twice.compareTo(longest) > 0 ? longest : twice;
    return wait;
  }

  /** It succeeded: begins anew. */
  public void reset() {
    next = first;
  }
}
