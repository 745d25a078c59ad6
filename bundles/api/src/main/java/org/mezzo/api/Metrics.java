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

  /**
   * The counter of that name, made at the first call.
   *
   * @throws IllegalArgumentException when a module asks for a name of its lease: {@code calls},
   *     {@code failures}, {@code late}, {@code overloaded}, {@code quarantines}, {@code swaps},
   *     {@code backlog}, {@code vacant}, {@code unhealthy}, {@code abandoned_threads}, or any that
   *     begins with {@code reports} or {@code call_ms}
   */
  Counter counter(String name);

  /**
   * Registers a number read at each snapshot, instead of the one before under that name; the
   * supplier must be quick and must not block.
   *
   * @throws IllegalArgumentException as {@link #counter}
   */
  void gauge(String name, DoubleSupplier value);

  /**
   * Forgets a counter or gauge, for example of something that is gone; unknown ones are ignored.
   */
  void remove(String name);
}
