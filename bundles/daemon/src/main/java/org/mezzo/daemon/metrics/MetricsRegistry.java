package org.mezzo.daemon.metrics;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.mezzo.api.Metrics;

/** The numbers of one daemon, by name. Safe for any thread. */
public final class MetricsRegistry implements Metrics {
  /** The most samples a timer keeps; older ones make room. */
  private static final int MAX_SAMPLES = 1_000;

  private static final Map<String, Double> PERCENTILES =
      Map.of("p50", 0.5, "p90", 0.9, "p95", 0.95, "p99", 0.99, "p999", 0.999, "p9999", 0.9999);

  private final Map<String, Adder> counters = new ConcurrentHashMap<>();
  private final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();
  private final Map<String, Supplier<? extends Map<String, Double>>> groups =
      new ConcurrentHashMap<>();
  private final Map<String, Timer> timers = new ConcurrentHashMap<>();
  private final Map<String, Scope> scopes = new ConcurrentHashMap<>();

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
    private double lastMillis;
    private long count;
    private double sumNanos;

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
      count++;
      sumNanos += nanos;
      if (windowNanos > 0) {
        samples.addLast(new long[] {System.nanoTime(), nanos});
        if (samples.size() > MAX_SAMPLES) {
          samples.removeFirst();
        }
      }
    }

    private synchronized TimerReading read() {
      long oldest = System.nanoTime() - windowNanos;
      while (!samples.isEmpty() && samples.peekFirst()[0] - oldest < 0) {
        samples.removeFirst();
      }
      double[] millis = samples.stream().mapToDouble(sample -> sample[1] / 1e6).toArray();
      Arrays.sort(millis);
      return new TimerReading(
          count == 0 ? OptionalDouble.empty() : OptionalDouble.of(lastMillis),
          count,
          sumNanos / 1e6,
          millis);
    }
  }

  /** The numbers of a scope, and what they are called. */
  private record Scope(String family, Map<String, String> labels, MetricsRegistry numbers) {}

  @Override
  public Counter counter(String name) {
    return counters.computeIfAbsent(name, unused -> new Adder());
  }

  @Override
  public void gauge(String name, DoubleSupplier value) {
    gauges.put(name, value);
  }

  /**
   * Gauges whose names come and go with what they are of, for example with roles: asked for
   * together, each time somebody reads.
   *
   * @param group what they replace another group by; not shown
   * @param values by whole name; called on any thread, and left out when it throws
   */
  public void gauges(String group, Supplier<? extends Map<String, Double>> values) {
    groups.put(group, values);
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
    return scope(prefix, prefix, Map.of());
  }

  /**
   * As above, of something of which there are many.
   *
   * @param family what names of the scope begin with where labels are shown
   * @param labels by name, which say which of them it is
   */
  public MetricsRegistry scope(String prefix, String family, Map<String, String> labels) {
    return scopes.computeIfAbsent(
            prefix,
            unused ->
                new Scope(
                    family,
                    Collections.unmodifiableMap(new TreeMap<>(labels)),
                    new MetricsRegistry()))
        .numbers;
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
    return snapshot(() -> false);
  }

  /**
   * As above, without the gauges that are not read in time: one that takes long is waited for, the
   * next is not begun (rule 357). Counters and timers, which have nothing to wait for, are there.
   *
   * @param late whether the time is over
   */
  public SortedMap<String, Double> snapshot(BooleanSupplier late) {
    SortedMap<String, Double> all = new TreeMap<>();
    accept(
        new MetricsVisitor() {
          @Override
          public void counter(MetricName name, long value) {
            all.put(name.flat(), (double) value);
          }

          @Override
          public void gauge(MetricName name, double value) {
            all.put(name.flat(), value);
          }

          @Override
          public void timer(MetricName name, TimerReading reading) {
            String flat = name.flat();
            reading.last().ifPresent(last -> all.put(flat, last));
            if (reading.recent() > 0) {
              all.put(flat + "/count", (double) reading.recent());
              all.put(flat + "/min", reading.quantile(0));
              all.put(flat + "/max", reading.quantile(1));
              PERCENTILES.forEach(
                  (suffix, share) -> all.put(flat + "/" + suffix, reading.quantile(share)));
            }
          }
        },
        late);
    return all;
  }

  /** Shows all numbers to a visitor. A gauge that throws or has no number is left out. */
  public void accept(MetricsVisitor visitor) {
    accept(visitor, () -> false);
  }

  private void accept(MetricsVisitor visitor, BooleanSupplier late) {
    accept("", "", Map.of(), visitor, late);
  }

  private void accept(
      String prefix,
      String family,
      Map<String, String> labels,
      MetricsVisitor visitor,
      BooleanSupplier late) {
    counters.forEach(
        (name, counter) ->
            visitor.counter(new MetricName(prefix, family, labels, name), counter.sum.sum()));
    timers.forEach(
        (name, timer) -> visitor.timer(new MetricName(prefix, family, labels, name), timer.read()));
    gauges.forEach(
        (name, gauge) -> {
          if (late.getAsBoolean()) {
            return;
          }
          double value;
          try {
            value = gauge.getAsDouble();
          } catch (RuntimeException | Error e) {
            return;
          }
          if (Double.isFinite(value)) {
            visitor.gauge(new MetricName(prefix, family, labels, name), value);
          }
        });
    groups
        .values()
        .forEach(
            group -> {
              if (late.getAsBoolean()) {
                return;
              }
              Map<String, Double> values;
              try {
                values = group.get();
              } catch (RuntimeException | Error e) {
                return;
              }
              values.forEach(
                  (name, value) -> {
                    if (Double.isFinite(value)) {
                      visitor.gauge(new MetricName(prefix, family, labels, name), value);
                    }
                  });
            });
    scopes.forEach(
        (inner, scope) -> {
          Map<String, String> all = new TreeMap<>(labels);
          all.putAll(scope.labels);
          scope.numbers.accept(prefix + inner, family + scope.family, all, visitor, late);
        });
  }
}
