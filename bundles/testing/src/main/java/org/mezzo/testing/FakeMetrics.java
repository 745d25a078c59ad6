package org.mezzo.testing;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.mezzo.api.Metrics;

/** Keeps what is counted, so that a test can ask for it. Safe for any thread. */
public final class FakeMetrics implements Metrics {
  private final Map<String, AtomicLong> counters = new ConcurrentHashMap<>();
  private final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();

  @Override
  public Counter counter(String name) {
    return counters.computeIfAbsent(name, made -> new AtomicLong())::addAndGet;
  }

  @Override
  public void gauge(String name, DoubleSupplier value) {
    gauges.put(name, value);
  }

  @Override
  public void remove(String name) {
    counters.remove(name);
    gauges.remove(name);
  }

  /** What the counter of that name, or else the gauge, says now; 0 when there is neither. */
  public double value(String name) {
    AtomicLong counter = counters.get(name);
    return counter != null ? counter.get() : gauges.getOrDefault(name, () -> 0).getAsDouble();
  }
}
