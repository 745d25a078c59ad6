package org.mezzo.modules.leases;

import java.time.Duration;

/**
 * How patient leases are.
 *
 * @param throwsInARow so many calls that throw something unchecked, one after the other, cost the
 *     instance its lease
 * @param abandonedThreads so many threads may be stuck in modules at a time before modules that
 *     have failed are not tried again
 * @param mailbox how many calls may wait in one lease
 * @param openDeadline for creating and opening an instance
 * @param closeDeadline for closing and releasing an instance
 * @param firstBackoff how long a module that failed is left alone the first time; doubles
 * @param lastBackoff the longest that a module that failed is left alone
 */
public record Limits(
    int throwsInARow,
    int abandonedThreads,
    int mailbox,
    Duration openDeadline,
    Duration closeDeadline,
    Duration firstBackoff,
    Duration lastBackoff) {

  /** What a host uses. */
  public static final Limits DEFAULT =
      new Limits(
          5,
          16,
          100_000,
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          Duration.ofSeconds(1),
          Duration.ofSeconds(60));

  /** The same with other backoffs. */
  public Limits withBackoff(Duration first, Duration last) {
    return new Limits(
        throwsInARow, abandonedThreads, mailbox, openDeadline, closeDeadline, first, last);
  }

  /** The same with another bound of the mailbox. */
  public Limits withMailbox(int calls) {
    return new Limits(
        throwsInARow,
        abandonedThreads,
        calls,
        openDeadline,
        closeDeadline,
        firstBackoff,
        lastBackoff);
  }

  /** The same with another bound of abandoned threads. */
  public Limits withAbandonedThreads(int threads) {
    return new Limits(
        throwsInARow, threads, mailbox, openDeadline, closeDeadline, firstBackoff, lastBackoff);
  }

  /** The same with other deadlines for opening and closing. */
  public Limits withDeadlines(Duration open, Duration close) {
    return new Limits(
        throwsInARow, abandonedThreads, mailbox, open, close, firstBackoff, lastBackoff);
  }

  Duration backoff(int strikes) {
    Duration backoff = firstBackoff;
    for (int i = 1; i < strikes && backoff.compareTo(lastBackoff) < 0; i++) {
      backoff = backoff.multipliedBy(2);
    }
    return backoff.compareTo(lastBackoff) < 0 ? backoff : lastBackoff;
  }
}
