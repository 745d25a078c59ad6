package org.mezzo.driver.sessions;

import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait before the next try: anything up to twice as long each time, so that many that
 * lose one master do not come to the next one at once. For one thread.
 */
final class Backoff {
  private static final long FIRST_MS = 200;
  private static final long MOST_MS = 10_000;

  private long limit = FIRST_MS;

  long nextMs() {
    long wait = ThreadLocalRandom.current().nextLong(limit + 1);
    limit = Math.min(MOST_MS, limit * 2);
    return wait;
  }

  void reset() {
    limit = FIRST_MS;
  }
}
