package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.mezzo.api.allocator.InverseAnswer;
import org.mezzo.protocol.v1.Unavailability;

/** What is known of one announcement that an agent becomes unavailable (section 8). */
final class Maintenance {
  final Unavailability unavailability;

  /** Frameworks that were asked and have not answered. */
  private final Set<String> asked = new HashSet<>();

  /** When frameworks may be asked again that have answered, in milliseconds since the epoch. */
  private final Map<String, Long> filters = new HashMap<>();

  Maintenance(Unavailability unavailability) {
    this.unavailability = unavailability;
  }

  /** The framework is asked; not again before it answers. */
  void ask(String frameworkId) {
    asked.add(frameworkId);
  }

  void answered(InverseAnswer answer) {
    String frameworkId = answer.offer().frameworkId();
    asked.remove(frameworkId);
    Optional<Instant> expires = answer.filterExpires();
    if (expires.isPresent()) {
      filters.put(frameworkId, Refusal.millis(expires.get()));
    } else {
      filters.remove(frameworkId);
    }
  }

  void forget(String frameworkId) {
    asked.remove(frameworkId);
    filters.remove(frameworkId);
  }

  /**
   * Whom to ask now, by id.
   *
   * @param holders who holds something on the agent
   */
  Set<String> toAsk(Set<String> holders, Predicate<String> isActive, long now) {
    filters.values().removeIf(expires -> expires <= now);
    Set<String> next = new TreeSet<>();
    for (String holder : holders) {
      if (!asked.contains(holder) && !filters.containsKey(holder) && isActive.test(holder)) {
        next.add(holder);
      }
    }
    return next;
  }
}
