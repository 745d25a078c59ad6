package org.mezzo.daemon.metrics;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import org.mezzo.api.Metrics;

/** The numbers of one daemon, by name. Safe for any thread. */
public final class MetricsRegistry implements Metrics {
  /** The most samples a timer keeps; older ones make room. */
  private static final int MAX_SAMPLES = 1_000;

  private static final Map<String, Double> PERCENTILES =
      Map.of("p50", 0.5, "p90", 0.9, "p95", 0.95, "p99", 0.99, "p999", 0.999, "p9999", 0.9999);

  private final Map<String, Adder> counters = new ConcurrentHashMap<>();
  private final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();
  private final Map<String, Timer> timers = new ConcurrentHashMap<>();
  private final Map<String, MetricsRegistry> scopes = new ConcurrentHashMap<>();

  private static final class Adder implements Counter {
    private final LongAdder sum = new LongAdder();

    @Override
    public void add(long n) {
      if (n < 0) {
        throw new IllegalArgumentException("A counter only grows, but was given " + n);
      }
      sum.add(n);
    }
  }

  /**
   * Durations with their distribution over a window: shown as the last value under the timer's name
   * and, while there are samples in the window, as {@code /count}, {@code /min}, {@code /max} and
   * percentiles. Safe for any thread.
   */
  public static final class Timer {
    private final long windowNanos;
    private final ArrayDeque<long[]> samples = new ArrayDeque<>();
    private double lastMillis = Double.NaN;

    private Timer(Duration window) {
      this.windowNanos = window.toNanos();
    }

    /** Adds a sample. */
    public void record(Duration duration) {
      recordNanos(duration.toNanos());
    }

    /** Adds a sample in nanoseconds. */
    public synchronized void recordNanos(long nanos) {
      lastMillis = nanos / 1e6;
      if (windowNanos > 0) {
        samples.addLast(new long[] {System.nanoTime(), nanos});
        if (samples.size() > MAX_SAMPLES) {
          samples.removeFirst();
        }
      }
    }

    private synchronized void write(String name, Map<String, Double> out) {
      if (!Double.isNaN(lastMillis)) {
        out.put(name, lastMillis);
      }
      long oldest = System.nanoTime() - windowNanos;
      while (!samples.isEmpty() && samples.peekFirst()[0] - oldest < 0) {
        samples.removeFirst();
      }
      if (samples.isEmpty()) {
        return;
      }
      double[] millis = samples.stream().mapToDouble(sample -> sample[1] / 1e6).toArray();
      Arrays.sort(millis);
      out.put(name + "/count", (double) millis.length);
      out.put(name + "/min", millis[0]);
      out.put(name + "/max", millis[millis.length - 1]);
      PERCENTILES.forEach((suffix, share) -> out.put(name + "/" + suffix, at(millis, share)));
    }

    /** Linear interpolation between the neighbouring samples. */
    private static double at(double[] sorted, double share) {
      double position = share * (sorted.length - 1);
      int below = (int) position;
      if (below + 1 >= sorted.length) {
        return sorted[sorted.length - 1];
      }
      return sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]);
    }
  }

  @Override
  public Counter counter(String name) {
    return counters.computeIfAbsent(name, unused -> new Adder());
  }

  @Override
  public void gauge(String name, DoubleSupplier value) {
    gauges.put(name, value);
  }

  /**
   * The timer of that name, made at the first call.
   *
   * @param name ends in {@code _ms}
   * @param window how long samples count; zero shows the last value only
   */
  public Timer timer(String name, Duration window) {
    return timers.computeIfAbsent(name, unused -> new Timer(window));
  }

  /** Forgets a counter, gauge or timer, for example of a framework that is gone. */
  @Override
  public void remove(String name) {
    counters.remove(name);
    gauges.remove(name);
    timers.remove(name);
  }

  /**
   * Numbers that come and go together, for example those of one framework: a registry whose names
   * are shown here behind the prefix. The same prefix gives the same registry until it is removed.
   */
  public MetricsRegistry scope(String prefix) {
    return scopes.computeIfAbsent(prefix, unused -> new MetricsRegistry());
  }

  /** Forgets a scope with all its numbers, at a cost that does not depend on how many there are. */
  public void removeScope(String prefix) {
    scopes.remove(prefix);
  }

  /**
   * A view that puts a prefix, for example {@code modules/allocator/hierarchical/}, to names. They
   * are names of this registry like all others; see {@link #scope} for numbers that end together.
   */
  public Metrics prefixed(String prefix) {
    return new Metrics() {
      @Override
      public Counter counter(String name) {
        return MetricsRegistry.this.counter(prefix + name);
      }

      @Override
      public void gauge(String name, DoubleSupplier value) {
        MetricsRegistry.this.gauge(prefix + name, value);
      }

      @Override
      public void remove(String name) {
        MetricsRegistry.this.remove(prefix + name);
      }
    };
  }

  /** All values now, by name. A gauge that throws or has no number is left out. */
  public SortedMap<String, Double> snapshot() {
    SortedMap<String, Double> all = new TreeMap<>();
    write("", all);
    return all;
  }

  private void write(String prefix, Map<String, Double> all) {
    counters.forEach((name, counter) -> all.put(prefix + name, (double) counter.sum.sum()));
    timers.forEach((name, timer) -> timer.write(prefix + name, all));
    gauges.forEach(
        (name, gauge) -> {
          double value;
          try {
            value = gauge.getAsDouble();
          } catch (RuntimeException e) {
            return;
          }
          if (Double.isFinite(value)) {
            all.put(prefix + name, value);
          }
        });
    scopes.forEach((inner, scope) -> scope.write(prefix + inner, all));
  }
}
