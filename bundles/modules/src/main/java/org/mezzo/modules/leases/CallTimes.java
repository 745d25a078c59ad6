package org.mezzo.modules.leases;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.mezzo.api.Metrics;

/**
 * How long the last calls of one lease took, whichever version served them: each from when a thread
 * was there for it until its answer, that of a stage included. Safe for any thread.
 */
final class CallTimes {
  /** What numbers of it begin with. */
  static final String NAME = "call_ms";

  /** Of so many calls at most. */
  private static final int KEPT = 500;

  private static final double MILLI = 1e6;

  private final AtomicLongArray nanos = new AtomicLongArray(KEPT);
  private final AtomicLong count = new AtomicLong();

  /** A call has ended. */
  void add(long took) {
    nanos.set((int) (count.getAndIncrement() % KEPT), took);
  }

  /** Registers the last time and quantiles; they have no number before the first call. */
  void measure(Metrics metrics) {
    metrics.gauge(
        NAME,
        () -> {
          long calls = count.get();
          return calls == 0 ? Double.NaN : nanos.get((int) ((calls - 1) % KEPT)) / MILLI;
        });
    metrics.gauge(NAME + "/p50", () -> millis(0.5));
    metrics.gauge(NAME + "/p90", () -> millis(0.9));
    metrics.gauge(NAME + "/p99", () -> millis(0.99));
    metrics.gauge(NAME + "/max", () -> millis(1));
  }

  private double millis(double share) {
    int size = (int) Math.min(count.get(), KEPT);
    if (size == 0) {
      return Double.NaN;
    }
    long[] sorted = new long[size];
    for (int i = 0; i < size; i++) {
      sorted[i] = nanos.get(i);
    }
    Arrays.sort(sorted);
    return sorted[(int) Math.ceil(share * size) - 1] / MILLI;
  }
}
