package org.mezzo.daemon.metrics;

/** Takes the numbers of a daemon as they are at this moment, one by one and in no order. */
public interface MetricsVisitor {
  /** A number that only grows. */
  void counter(MetricName name, long value);

  /** A finite number. */
  void gauge(MetricName name, double value);

  /** Durations in milliseconds. */
  void timer(MetricName name, TimerReading reading);
}
