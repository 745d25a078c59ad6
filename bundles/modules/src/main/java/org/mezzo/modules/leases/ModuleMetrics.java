package org.mezzo.modules.leases;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleSupplier;
import org.mezzo.api.Metrics;

/**
 * What the instances of one lease count. Each number belongs to the instance that registered it
 * last and goes with it, so that a version leaves nothing behind that nobody keeps up any more, and
 * a counter that the next version goes on with does not begin at zero. Safe for any thread.
 */
final class ModuleMetrics {
  /** The numbers of the lease itself, below the same prefix. */
  private static final Set<String> RESERVED =
      Set.of(
          "calls",
          "failures",
          "late",
          "overloaded",
          "quarantines",
          "swaps",
          "backlog",
          "vacant",
          "unhealthy",
          "abandoned_threads");

  private final Metrics metrics;
  private final Map<String, Instance> owners = new HashMap<>();

  ModuleMetrics(Metrics metrics) {
    this.metrics = metrics;
  }

  /** The numbers of a new instance. */
  Instance instance() {
    return new Instance();
  }

  /** The numbers of one instance; when it is closed it registers nothing more. */
  final class Instance implements Metrics, AutoCloseable {
    private boolean closed;

    private Instance() {}

    @Override
    public Counter counter(String name) {
      synchronized (owners) {
        return own(name) ? metrics.counter(name) : n -> {};
      }
    }

    @Override
    public void gauge(String name, DoubleSupplier value) {
      synchronized (owners) {
        if (own(name)) {
          metrics.gauge(name, value);
        }
      }
    }

    private boolean own(String name) {
      if (RESERVED.contains(name)
          || name.startsWith("reports")
          || name.startsWith(CallTimes.NAME)) {
        throw new IllegalArgumentException(
            "The metric '" + name + "' is counted for every module; take another name");
      }
      if (!closed) {
        owners.put(name, this);
      }
      return !closed;
    }

    @Override
    public void remove(String name) {
      synchronized (owners) {
        if (owners.remove(name, this)) {
          metrics.remove(name);
        }
      }
    }

    @Override
    public void close() {
      synchronized (owners) {
        closed = true;
        owners
            .entrySet()
            .removeIf(
                entry -> {
                  boolean mine = entry.getValue() == this;
                  if (mine) {
                    metrics.remove(entry.getKey());
                  }
                  return mine;
                });
      }
    }
  }
}
