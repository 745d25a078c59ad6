package org.mezzo.api;

import java.util.function.DoubleSupplier;
import org.osgi.annotation.versioning.ProviderType;

/** A flat registry of numbers, shown by {@code /metrics/snapshot}. Safe for any thread. */
@ProviderType
public interface Metrics {

  /** A number that only grows. */
  interface Counter {
    /** Adds one. */
    default void increment() {
      add(1);
    }

    /** Adds {@code n}, which must not be negative. */
    void add(long n);
  }

  /** The counter of that name, made at the first call. */
  Counter counter(String name);

  /** Registers a number read at each snapshot; the supplier must be quick and must not block. */
  void gauge(String name, DoubleSupplier value);
}
