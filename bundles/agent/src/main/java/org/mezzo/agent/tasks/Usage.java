package org.mezzo.agent.tasks;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.protocol.v1.Resource;

/**
 * How much of the agent's scalars executors and tasks hold: an executor its own until it is gone, a
 * task its own until its end. Safe for any thread.
 */
final class Usage {
  private final Map<String, Long> own = new ConcurrentHashMap<>();
  private final Map<String, Long> revocable = new ConcurrentHashMap<>();

  void add(List<Resource> resources) {
    count(resources, 1);
  }

  void remove(List<Resource> resources) {
    count(resources, -1);
  }

  private void count(List<Resource> resources, int sign) {
    for (Resource resource : resources) {
      if (resource.hasScalar()) {
        (resource.hasRevocable() ? revocable : own)
            .merge(
                resource.getName(),
                sign * Math.round(resource.getScalar().getValue() * 1000),
                Long::sum);
      }
    }
  }

  /** How much of a scalar is held, but for what is revocable. */
  double of(String name) {
    return own.getOrDefault(name, 0L) / 1000.0;
  }

  /** How much of what is revocable of a scalar is held. */
  double revocable(String name) {
    return revocable.getOrDefault(name, 0L) / 1000.0;
  }
}
