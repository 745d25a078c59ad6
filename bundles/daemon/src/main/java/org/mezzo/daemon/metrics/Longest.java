package org.mezzo.daemon.metrics;

import java.time.Duration;

/**
 * The longest of late: of the present minute and of the one before it. Times are those of {@link
 * System#nanoTime}. Safe for any thread.
 */
public final class Longest {
  private static final long WINDOW_NANOS = Duration.ofMinutes(1).toNanos();
  private long windowBegin = System.nanoTime();
  private long present;
  private long before;

  /** Adds something that took so long and is over now. */
  public synchronized void record(long now, long nanos) {
    turn(now);
    present = Math.max(present, nanos);
  }

  /** The longest of the last minute at least, of two at most; 0 when there was nothing. */
  public synchronized long nanos(long now) {
    turn(now);
    return Math.max(present, before);
  }

  private void turn(long now) {
    if (now - windowBegin >= WINDOW_NANOS) {
      before = now - windowBegin >= 2 * WINDOW_NANOS ? 0 : present;
      present = 0;
      windowBegin = now;
    }
  }
}
