package org.mezzo.allocator.drf;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.mezzo.api.allocator.Quota;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * What roles with a quota have, and what must be kept back for those that have less than they are
 * guaranteed (section 5). Kept in step with every change of what is held, so that a cycle does not
 * have to add up the cluster.
 */
final class QuotaUse {

  /** A role with a quota. */
  static final class Use {
    final String role;
    final Quota quota;

    /** Without names of which nothing is guaranteed. */
    private final Quantities guarantees;

    private Quantities consumed = Quantities.EMPTY;

    /** What it lacks of its guarantee. */
    private Quantities missing;

    /** What limits leave; null when that has to be worked out. */
    private Quantities left;

    private Use(String role, Quota quota) {
      this.role = role;
      this.quota = quota;
      this.guarantees = quota.guarantees().minus(Quantities.EMPTY);
      this.missing = guarantees;
    }

    Quantities missing() {
      return missing;
    }

    Quantities consumed() {
      return consumed;
    }

    private Quantities left() {
      if (left == null) {
        left = quota.limits().minusKeepingNames(consumed);
      }
      return left;
    }
  }

  private final Map<String, Use> uses = new HashMap<>();
  private Quantities required = Quantities.EMPTY;

  /** What is free for whoever may have it; not kept while nobody has a quota. */
  private Quantities headroom = Quantities.EMPTY;

  private boolean anyGuarantee;

  /** Whether a guarantee or limit has cut an offer since somebody looked. */
  private boolean cut;

  /** Counts moments in which more may have become free of what is kept back. */
  private long version;

  /** Takes other quotas and adds up what there is. */
  void set(Map<String, Quota> quotas, Collection<Agent> agents) {
    uses.clear();
    required = Quantities.EMPTY;
    headroom = Quantities.EMPTY;
    anyGuarantee = false;
    version++;
    quotas.forEach(
        (role, quota) -> {
          Use use = new Use(role, quota);
          uses.put(role, use);
          anyGuarantee |= !use.guarantees.isEmpty();
          required = required.plus(use.guarantees);
        });
    if (isEmpty()) {
      return;
    }
    for (Agent agent : agents) {
      reserved(agent.total, 1);
      agent.used.values().forEach(used -> used(used, 1));
      headroom = headroom.plus(free(agent.available).quantities());
    }
  }

  /** The part that quotas are about: scalar, unreserved, not revocable. */
  static Resources free(Resources resources) {
    return resources.scalars().unreserved().nonRevocable();
  }

  boolean anyGuarantee() {
    return anyGuarantee;
  }

  boolean isEmpty() {
    return uses.isEmpty();
  }

  /** The quota of a role; null when it has none. */
  Use use(String role) {
    return uses.get(role);
  }

  Collection<Use> all() {
    return uses.values();
  }

  /** Counts what is reserved on an agent, or does no longer with a sign of -1. */
  void reserved(Resources total, int sign) {
    total.reserved().forEach((role, part) -> consume(role, part.scalars().quantities(), sign));
  }

  /** Counts what is offered or allocated, or does no longer with a sign of -1. */
  void used(Resources resources, int sign) {
    resources.allocations().forEach((role, part) -> consume(role, free(part).quantities(), sign));
  }

  /** What is free on an agent has become something else. */
  void available(Resources before, Resources after) {
    headroom = headroom.minus(free(before).quantities()).plus(free(after).quantities());
  }

  /** Counts for the role and for those above it. */
  private void consume(String role, Quantities amounts, int sign) {
    if (amounts.isEmpty()) {
      return;
    }
    for (int end = role.length(); end > 0; end = role.lastIndexOf('/', end - 1)) {
      Use use = uses.get(role.substring(0, end));
      if (use != null) {
        consume(use, amounts, sign);
      }
    }
  }

  private void consume(Use use, Quantities amounts, int sign) {
    use.consumed = sign > 0 ? use.consumed.plus(amounts) : use.consumed.minus(amounts);
    use.left = null;
    if (!use.guarantees.isEmpty() && (sign < 0 || !use.missing.isEmpty())) {
      Quantities missing = use.guarantees.minus(use.consumed);
      required = required.minus(use.missing).plus(missing);
      use.missing = missing;
    }
  }

  /** More may have become free of what is kept back. */
  void grew() {
    version++;
  }

  /** Changes whenever more may have become free of what is kept back. */
  long version() {
    return version;
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
  Resources extra(Role role, Resources extra, Quantities granted) {
    Resources allowed = withinLimits(role, extra, granted);
    if (required.isEmpty()) {
      return allowed;
    }
    Resources kept = allowed.shrink(headroom.minus(required));
    cut |= !kept.equals(allowed);
    return kept;
  }

  /** What the role may have beyond {@code granted} without passing its limits. */
  static Resources withinLimits(Role role, Resources extra, Quantities granted) {
    Use use = role.quota;
    return use == null ? extra : extra.limit(use.left().minusKeepingNames(granted));
  }

  /** Whether what is kept back has cut an offer since this was asked. */
  boolean takeCut() {
    boolean was = cut;
    cut = false;
    return was;
  }

  /**
   * Whether limits leave a role no offer that has one of these, unless it gets what limits are not
   * about. What a guarantee makes up for is not bound by them.
   */
  static boolean isExhausted(Role role, List<Quantities> least) {
    Use use = role.quota;
    if (use == null || least.isEmpty()) {
      return false;
    }
    Quantities left = use.left();
    for (Quantities alternative : least) {
      boolean possible = true;
      for (String name : alternative.names()) {
        long wanted = alternative.get(name);
        possible &= !left.has(name) || left.get(name) >= wanted || use.missing.get(name) >= wanted;
      }
      if (possible) {
        return false;
      }
    }
    return true;
  }

  /** Whether what is kept back leaves nobody an offer that has one of these. */
  boolean isKeptBack(List<Quantities> least, Predicate<String> isScalar) {
    if (required.isEmpty() || least.isEmpty()) {
      return false;
    }
    Quantities room = headroom.minus(required);
    for (Quantities alternative : least) {
      boolean possible = true;
      for (String name : alternative.names()) {
        possible &= !isScalar.test(name) || room.get(name) >= alternative.get(name);
      }
      if (possible) {
        return false;
      }
    }
    return true;
  }

  /** The roles for which something is kept back, with what they lack, by name. */
  Map<String, Quantities> lacking() {
    Map<String, Quantities> lacking = new TreeMap<>();
    for (Use use : uses.values()) {
      if (!use.missing.isEmpty()) {
        lacking.put(use.role, use.missing);
      }
    }
    return lacking;
  }

  /** What is kept back, and what is free for whoever may have it; for tests. */
  List<Quantities> sums() {
    List<Quantities> sums = new ArrayList<>(List.of(required, headroom));
    new TreeMap<>(uses).values().forEach(use -> sums.addAll(List.of(use.consumed, use.missing)));
    return sums;
  }
}
