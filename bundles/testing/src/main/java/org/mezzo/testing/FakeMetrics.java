package org.mezzo.testing;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.mezzo.api.Metrics;

/**
 * Keeps what is counted, so that a test can ask for it, and refuses the names that a daemon
 * refuses. Safe for any thread.
 */
public final class FakeMetrics implements Metrics {
  private static final Set<String> OF_THE_LEASE =
      Set.of(
          "calls",
          "failures",
          "late",
          "overloaded",
          "quarantines",
          "swaps",
          "backlog",
          "vacant",
          "abandoned_threads");

  private final Map<String, AtomicLong> counters = new ConcurrentHashMap<>();
  private final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();

  @Override
  public Counter counter(String name) {
    check(name);
    AtomicLong counter = counters.computeIfAbsent(name, made -> new AtomicLong());
    return n -> {
      if (n < 0) {
        throw new IllegalArgumentException(
            "'" + name + "' only grows, and " + n + " is to be added to it");
      }
      counter.addAndGet(n);
    };
  }

  @Override
  public void gauge(String name, DoubleSupplier value) {
    check(name);
    gauges.put(name, value);
  }

  @Override
  public void remove(String name) {
    counters.remove(name);
    gauges.remove(name);
  }

  private static void check(String name) {
    if (OF_THE_LEASE.contains(name) || name.startsWith("reports") || name.startsWith("call_ms")) {
      throw new IllegalArgumentException(
          "'" + name + "' is a number of the module's lease; take another name");
    }
  }

  /** What the counter of that name, or else the gauge, says now; 0 when there is neither. */
  public double value(String name) {
    AtomicLong counter = counters.get(name);
    return counter != null ? counter.get() : gauges.getOrDefault(name, () -> 0).getAsDouble();
  }

  /** The names of all counters and gauges that there are now, in order; a copy. */
  public Set<String> names() {
    Set<String> names = new TreeSet<>(counters.keySet());
    names.addAll(gauges.keySet());
    return names;
  }
}
