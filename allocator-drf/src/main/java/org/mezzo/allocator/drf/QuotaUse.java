package org.mezzo.allocator.drf;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.mezzo.api.allocator.Quota;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * What roles with a quota have in the course of one cycle, and what must be kept back for those
 * that have less than they are guaranteed (section 5).
 */
final class QuotaUse {

  /** A role with a quota. */
  private static final class Use {
    final Quota quota;
    Quantities consumed = Quantities.EMPTY;

    /** What it lacks of its guarantee. */
    Quantities missing;

    Use(Quota quota) {
      this.quota = quota;
      this.missing = quota.guarantees();
    }

    void consume(Quantities amounts) {
      consumed = consumed.plus(amounts);
      if (!missing.isEmpty()) {
        missing = quota.guarantees().minus(consumed);
      }
    }
  }

  private final Map<String, Use> uses = new HashMap<>();
  private Quantities required = Quantities.EMPTY;
  private Quantities headroom = Quantities.EMPTY;

  QuotaUse(Map<String, Quota> quotas, ClusterIndex index) {
    if (quotas.isEmpty()) {
      return;
    }
    quotas.forEach((role, quota) -> uses.put(role, new Use(quota)));
    for (Agent agent : index.agents.values()) {
      agent.total.reserved().forEach((role, part) -> consume(role, part.scalars().quantities()));
      for (Resources used : agent.used.values()) {
        used.allocations().forEach((role, part) -> consume(role, free(part).quantities()));
      }
    }
    for (Use use : uses.values()) {
      required = required.plus(use.missing);
    }
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
    for (Use use : uses.values()) {
      if (!use.quota.guarantees().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  boolean isEmpty() {
    return uses.isEmpty();
  }

  /** Counts for the role and for those above it. */
  private void consume(String role, Quantities amounts) {
    for (int end = role.length(); end > 0; end = role.lastIndexOf('/', end - 1)) {
      Use use = uses.get(role.substring(0, end));
      if (use != null) {
        use.consume(amounts);
      }
    }
  }

  /** What the role lacks of its guarantee. */
  Quantities missing(String role) {
    Use use = uses.get(role);
    return use == null ? Quantities.EMPTY : use.missing;
  }

  /**
   * What of {@code extra} the role may have beyond {@code granted} without passing its limits and
   * without touching what is kept back for others.
   */
  Resources extra(String role, Resources extra, Quantities granted) {
    return withinHeadroom(withinLimits(role, extra, granted));
  }

  /** What the role may have beyond {@code granted} without passing its limits. */
  Resources withinLimits(String role, Resources extra, Quantities granted) {
    Use use = uses.get(role);
    return use == null
        ? extra
        : extra.limit(
            use.quota.limits().minusKeepingNames(use.consumed).minusKeepingNames(granted));
  }

  /** What may be given without touching what is kept back. */
  private Resources withinHeadroom(Resources extra) {
    return required.isEmpty() ? extra : extra.shrink(headroom.minus(required));
  }

  /** The quota of a role; null when it has none. */
  Quota quota(String role) {
    Use use = uses.get(role);
    return use == null ? null : use.quota;
  }

  /** What counts against the quota of a role that has one. */
  Quantities consumed(String role) {
    return uses.get(role).consumed;
  }

  /** The roles for which something is kept back, with what they lack, by name. */
  Map<String, Quantities> lacking() {
    Map<String, Quantities> lacking = new TreeMap<>();
    uses.forEach(
        (role, use) -> {
          if (!use.missing.isEmpty()) {
            lacking.put(role, use.missing);
          }
        });
    return lacking;
  }

  /** Given to satisfy a guarantee, with what came along. */
  void guaranteed(String role, Quantities granted, Quantities all) {
    consume(role, all);
    required = required.minus(granted);
    headroom = headroom.minus(all);
  }

  /** Given as a fair share. */
  void shared(String role, Quantities amounts) {
    if (uses.containsKey(role)) {
      consume(role, amounts);
    }
    headroom = headroom.minus(amounts);
  }
}
