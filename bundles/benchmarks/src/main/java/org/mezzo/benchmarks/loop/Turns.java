package org.mezzo.benchmarks.loop;

import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.mezzo.daemon.loop.EventLoop;

/** The turns of a loop during one scenario. Written on the loop, read in a turn of its own. */
final class Turns implements EventLoop.TurnListener {
  private static final double MILLI = 1e6;

  private final EventLoop loop;
  private long[] clock = new long[1 << 16];
  private long[] processor = new long[1 << 16];
  private int count;

  Turns(EventLoop loop) {
    this.loop = loop;
    loop.observe(this);
  }

  @Override
  public void turn(long clockNanos, long processorNanos) {
    if (count == clock.length) {
      clock = Arrays.copyOf(clock, 2 * count);
      processor = Arrays.copyOf(processor, 2 * count);
    }
    clock[count] = clockNanos;
    processor[count++] = processorNanos;
  }

  /** What a scenario came to; forgets it. */
  Figures take() {
    CompletableFuture<Figures> taken = new CompletableFuture<>();
    loop.execute(
        () -> {
          long[] onClock = Arrays.copyOf(clock, count);
          long[] onProcessor = Arrays.copyOf(processor, count);
          count = 0;
          taken.complete(new Figures(sorted(onClock), sorted(onProcessor)));
        });
    return taken.join();
  }

  private static long[] sorted(long[] values) {
    Arrays.sort(values);
    return values;
  }

  /** Durations in nanoseconds, ascending. */
  record Figures(long[] clock, long[] processor) {
    double longestClock() {
      return at(clock, 1);
    }

    double p99Clock() {
      return at(clock, 0.99);
    }

    double longestProcessor() {
      return at(processor, 1);
    }

    double p99Processor() {
      return at(processor, 0.99);
    }

    /** Of all turns together, in milliseconds. */
    double sumProcessor() {
      return Arrays.stream(processor).sum() / MILLI;
    }

    /** How many turns were running for longer than 50 ms. */
    long slow() {
      return Arrays.stream(processor).filter(it -> it > 50 * MILLI).count();
    }

    private static double at(long[] sorted, double share) {
      return sorted.length == 0
          ? 0
          : sorted[(int) Math.min(sorted.length - 1, Math.ceil(share * sorted.length))] / MILLI;
    }
  }
}
