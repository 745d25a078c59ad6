package org.mezzo.allocator.drf;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.mezzo.api.allocator.Quota;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;
import org.mezzo.resources.Roles;

/**
 * What roles with a quota have in the course of one cycle, and what must be kept back for those
 * that have less than they are guaranteed (section 5).
 */
final class QuotaUse {
  private final Map<String, Quota> quotas;
  private final Map<String, Quantities> consumed = new HashMap<>();
  private Quantities required = Quantities.EMPTY;
  private Quantities headroom = Quantities.EMPTY;

  QuotaUse(Map<String, Quota> quotas, ClusterIndex index) {
    this.quotas = quotas;
    if (quotas.isEmpty()) {
      return;
    }
    for (Agent agent : index.agents.values()) {
      agent.total.reserved().forEach((role, part) -> consume(role, part.scalars().quantities()));
      for (Resources used : agent.used.values()) {
        used.allocations().forEach((role, part) -> consume(role, free(part).quantities()));
      }
    }
    quotas.forEach(
        (role, quota) ->
            required = required.plus(quota.guarantees().minus(consumed(role))));
    if (!required.isEmpty()) {
      for (Agent agent : index.agents.values()) {
        headroom = headroom.plus(free(agent.available).quantities());
      }
    }
  }

  /** The part that quotas are about: scalar, unreserved, not revocable. */
  static Resources free(Resources resources) {
    return resources.scalars().unreserved().nonRevocable();
  }

  boolean anyGuarantee() {
    return quotas.values().stream().anyMatch(quota -> !quota.guarantees().isEmpty());
  }

  boolean isEmpty() {
    return quotas.isEmpty();
  }

  private Quantities consumed(String role) {
    return consumed.getOrDefault(role, Quantities.EMPTY);
  }

  /** Counts for the role and for those above it. */
  private void consume(String role, Quantities amounts) {
    if (amounts.isEmpty()) {
      return;
    }
    withAncestors(
        role,
        (path, quota) -> consumed.merge(path, amounts, Quantities::plus));
  }

  private void withAncestors(String role, BiConsumer<String, Quota> action) {
    for (var entry : quotas.entrySet()) {
      if (Roles.isSameOrBelow(role, entry.getKey())) {
        action.accept(entry.getKey(), entry.getValue());
      }
    }
  }

  /** What the role lacks of its guarantee. */
  Quantities missing(String role) {
    Quota quota = quotas.get(role);
    return quota == null ? Quantities.EMPTY : quota.guarantees().minus(consumed(role));
  }

  /**
   * What of {@code extra} the role may have beyond {@code granted} without passing its limits and
   * without touching what is kept back for others.
   */
  Resources extra(String role, Resources extra, Quantities granted) {
    Quota quota = quotas.get(role);
    Resources allowed = extra;
    if (quota != null) {
      allowed =
          allowed.limit(
              quota.limits().minusKeepingNames(consumed(role)).minusKeepingNames(granted));
    }
    return required.isEmpty() ? allowed : allowed.shrink(headroom.minus(required));
  }

  /** Given to satisfy a guarantee, with what came along. */
  void guaranteed(String role, Quantities granted, Quantities all) {
    consume(role, all);
    required = required.minus(granted);
    headroom = headroom.minus(all);
  }

  /** Given as a fair share. */
  void shared(String role, Quantities amounts) {
    if (quotas.containsKey(role)) {
      consume(role, amounts);
    }
    headroom = headroom.minus(amounts);
  }
}
