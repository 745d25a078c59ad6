package org.mezzo.allocator.drf;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceKind.Type;
import org.mezzo.resources.Resources;

/**
 * The scalar totals of the cluster, by a small number for each resource name, and the amounts of
 * the change at hand in the same order. Shares are computed from nothing else, so that the sorters
 * need neither names nor messages.
 */
final class Scalars {
  private final Map<String, Integer> places = new HashMap<>();
  private final Set<String> excluded;
  private long[] totals = new long[8];
  private boolean[] counts = new boolean[8];
  private int size;
  private long version;

  /** Those names whose totals are not part of any share. */
  Scalars(Set<String> excluded) {
    this.excluded = new HashSet<>(excluded);
  }

  private int place(String name) {
    Integer known = places.get(name);
    if (known != null) {
      return known;
    }
    if (size == totals.length) {
      totals = Arrays.copyOf(totals, 2 * size);
      counts = Arrays.copyOf(counts, 2 * size);
    }
    counts[size] = !excluded.contains(name);
    places.put(name, size);
    return size++;
  }

  /** Whether a name is that of a scalar somewhere. */
  boolean knows(String name) {
    return places.containsKey(name);
  }

  /** Adds an agent's total, or takes it out with a sign of -1. */
  void change(Resources total, int sign) {
    for (int i = 0; i < total.size(); i++) {
      Resource resource = total.get(i);
      if (resource.type() == Type.SCALAR) {
        totals[place(resource.name())] += sign * resource.millis();
      }
    }
    version++;
  }

  /** Changes whenever the totals do. */
  long version() {
    return version;
  }

  /** The dominant share of somebody who has these amounts, before weights. */
  double share(long[] amounts) {
    double share = 0;
    for (int i = 0; i < amounts.length; i++) {
      if (amounts[i] > 0 && counts[i] && totals[i] > 0) {
        share = Math.max(share, (double) amounts[i] / totals[i]);
      }
    }
    return share;
  }

  /** The total of a name in thousandths. */
  long total(String name) {
    Integer place = places.get(name);
    return place == null ? 0 : totals[place];
  }

  /** Reads an amount out of an array in the order of this. */
  long amount(long[] amounts, String name) {
    Integer place = places.get(name);
    return place == null || place >= amounts.length ? 0 : amounts[place];
  }

  /** What resources add to a sum, worked out once for all sums they go into. */
  Delta delta(String agentId, Resources resources) {
    return new Delta(agentId, resources);
  }

  /** The scalar part of resources on an agent. */
  final class Delta {
    private final String agentId;
    private final Resources shared;
    private final int[] where;
    private final long[] amounts;
    private int length;

    private Delta(String agentId, Resources resources) {
      this.agentId = agentId;
      this.shared = resources.shared();
      this.where = new int[resources.size()];
      this.amounts = new long[resources.size()];
      for (int i = 0; i < resources.size(); i++) {
        Resource resource = resources.get(i);
        if (resource.type() == Type.SCALAR && !resource.kind().isShared()) {
          where[length] = place(resource.name());
          amounts[length++] = resource.millis();
        }
      }
    }

    private int placeOf(Resource resource) {
      return Scalars.this.place(resource.name());
    }
  }

  /** A copy of a shared resource, of which each agent's counts once. */
  private record SharedOn(String agentId, Resource resource) {}

  /** What a client or a group of clients has. */
  static final class Sum {
    long[] amounts = new long[4];
    private Map<SharedOn, Integer> shared = Map.of();

    void change(Delta delta, int sign) {
      for (int i = 0; i < delta.length; i++) {
        change(delta.where[i], sign * delta.amounts[i]);
      }
      if (!delta.shared.isEmpty()) {
        changeShared(delta, sign);
      }
    }

    private void change(int place, long by) {
      if (place >= amounts.length) {
        amounts = Arrays.copyOf(amounts, Math.max(place + 1, 2 * amounts.length));
      }
      amounts[place] += by;
    }

    private void changeShared(Delta delta, int sign) {
      if (shared.isEmpty()) {
        shared = new HashMap<>();
      }
      for (Resource resource : delta.shared) {
        SharedOn key = new SharedOn(delta.agentId, resource.withCopies(1));
        int before = shared.getOrDefault(key, 0);
        int after = Math.max(0, before + sign * resource.copies());
        if (after == 0) {
          shared.remove(key);
        } else {
          shared.put(key, after);
        }
        if ((before == 0) != (after == 0)) {
          change(delta.placeOf(resource), sign * resource.millis());
        }
      }
    }

    Sum copy() {
      Sum copy = new Sum();
      copy.amounts = amounts.clone();
      copy.shared = shared.isEmpty() ? Map.of() : new HashMap<>(shared);
      return copy;
    }

    /** Whether nothing is in it. */
    boolean isEmpty() {
      for (long amount : amounts) {
        if (amount != 0) {
          return false;
        }
      }
      return true;
    }
  }
}
