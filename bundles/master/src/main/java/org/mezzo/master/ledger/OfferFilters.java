package org.mezzo.master.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.mezzo.api.allocator.OfferFilter;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/**
 * What frameworks refused and until when (rule 70), by framework, agent and role, so that an agent
 * that leaves or a framework that revives costs what they have, not what there is. Immutable.
 */
public final class OfferFilters {
  /** There are none. */
  public static final OfferFilters EMPTY =
      new OfferFilters(HashTreePMap.empty(), HashTreePMap.empty());

  private static final int MOST_PER_ROLE = 64;

  /** Filters that are over stay at most this much longer, so that few looks find many of them. */
  private static final Duration SWEEP = Duration.ofSeconds(10);

  /**
   * Those of one framework.
   *
   * @param counts how many there are by role
   * @param swept when those that were over were looked for last
   */
  private record Refused(
      PMap<String, PMap<String, PVector<OfferFilter>>> byAgent,
      PMap<String, Integer> counts,
      Instant swept) {}

  private final PMap<String, Refused> byFramework;
  private final PMap<String, Integer> counts;

  private OfferFilters(PMap<String, Refused> byFramework, PMap<String, Integer> counts) {
    this.byFramework = byFramework;
    this.counts = counts;
  }

  /** How many there are by role, over or not; of others there are none. Not derived, but kept. */
  public PMap<String, Integer> counts() {
    return counts;
  }

  /** Those of one framework, over or not. */
  public Stream<OfferFilter> of(String frameworkId) {
    Refused refused = byFramework.get(frameworkId);
    return refused == null
        ? Stream.empty()
        : refused.byAgent().values().stream()
            .flatMap(roles -> roles.values().stream())
            .flatMap(List::stream);
  }

  /** All that are not over. */
  public Stream<OfferFilter> live(Instant now) {
    return byFramework.keySet().stream()
        .flatMap(this::of)
        .filter(filter -> filter.expires().isAfter(now));
  }

  /** Whether a framework has any for an agent. */
  public boolean any(String frameworkId, String agentId) {
    Refused refused = byFramework.get(frameworkId);
    return refused != null && refused.byAgent().containsKey(agentId);
  }

  /** With one more; those that it covers, and the oldest of too many, go. */
  public OfferFilters with(OfferFilter filter, Instant now) {
    Refused refused =
        byFramework.getOrDefault(
            filter.frameworkId(), new Refused(HashTreePMap.empty(), HashTreePMap.empty(), now));
    PMap<String, PVector<OfferFilter>> roles =
        refused.byAgent().getOrDefault(filter.agentId(), HashTreePMap.empty());
    List<OfferFilter> kept = new ArrayList<>();
    PVector<OfferFilter> others = roles.getOrDefault(filter.role(), TreePVector.empty());
    for (OfferFilter other : others) {
      boolean covered =
          !other.expires().isAfter(filter.expires())
              && filter.resources().contains(other.resources());
      if (other.expires().isAfter(now) && !covered) {
        kept.add(other);
      }
    }
    kept.sort(Comparator.comparing(OfferFilter::expires));
    while (kept.size() >= MOST_PER_ROLE) {
      kept.remove(0);
    }
    kept.add(filter);
    return with(
        filter.frameworkId(),
        refused.byAgent().plus(filter.agentId(), roles.plus(filter.role(), TreePVector.from(kept))),
        plus(refused.counts(), filter.role(), kept.size() - others.size()),
        refused.swept());
  }

  /** Without those of a framework. */
  public OfferFilters without(String frameworkId) {
    return byFramework.containsKey(frameworkId)
        ? with(frameworkId, HashTreePMap.empty(), HashTreePMap.empty(), Instant.MIN)
        : this;
  }

  /** Without those of a framework for some of its roles. */
  public OfferFilters without(String frameworkId, Set<String> roles) {
    Refused refused = byFramework.get(frameworkId);
    if (refused == null) {
      return this;
    }
    PMap<String, PMap<String, PVector<OfferFilter>>> left = refused.byAgent();
    for (var entry : refused.byAgent().entrySet()) {
      PMap<String, PVector<OfferFilter>> rest = entry.getValue().minusAll(roles);
      if (rest != entry.getValue()) {
        left = rest.isEmpty() ? left.minus(entry.getKey()) : left.plus(entry.getKey(), rest);
      }
    }
    return with(frameworkId, left, refused.counts().minusAll(roles), refused.swept());
  }

  /** Without those of a framework for an agent. */
  public OfferFilters withoutAgent(String frameworkId, String agentId) {
    Refused refused = byFramework.get(frameworkId);
    if (refused == null || !refused.byAgent().containsKey(agentId)) {
      return this;
    }
    PMap<String, Integer> left = refused.counts();
    for (var role : refused.byAgent().get(agentId).entrySet()) {
      left = plus(left, role.getKey(), -role.getValue().size());
    }
    return with(frameworkId, refused.byAgent().minus(agentId), left, refused.swept());
  }

  /** Without those for an agent; costs as much as there are frameworks with filters. */
  public OfferFilters withoutAgent(String agentId) {
    OfferFilters left = this;
    for (String frameworkId : byFramework.keySet()) {
      left = left.withoutAgent(frameworkId, agentId);
    }
    return left;
  }

  /** Without those of a framework that are over, unless that was looked for a moment ago. */
  public OfferFilters swept(String frameworkId, Instant now) {
    Refused refused = byFramework.get(frameworkId);
    if (refused == null || refused.swept().plus(SWEEP).isAfter(now)) {
      return this;
    }
    PMap<String, PMap<String, PVector<OfferFilter>>> left = refused.byAgent();
    PMap<String, Integer> leftCounts = refused.counts();
    for (var agent : refused.byAgent().entrySet()) {
      PMap<String, PVector<OfferFilter>> roles = agent.getValue();
      for (var role : agent.getValue().entrySet()) {
        List<OfferFilter> live =
            role.getValue().stream().filter(it -> it.expires().isAfter(now)).toList();
        leftCounts = plus(leftCounts, role.getKey(), live.size() - role.getValue().size());
        if (live.isEmpty()) {
          roles = roles.minus(role.getKey());
        } else if (live.size() < role.getValue().size()) {
          roles = roles.plus(role.getKey(), TreePVector.from(live));
        }
      }
      if (roles != agent.getValue()) {
        left = roles.isEmpty() ? left.minus(agent.getKey()) : left.plus(agent.getKey(), roles);
      }
    }
    return with(frameworkId, left, leftCounts, now);
  }

  private OfferFilters with(
      String frameworkId,
      PMap<String, PMap<String, PVector<OfferFilter>>> byAgent,
      PMap<String, Integer> own,
      Instant swept) {
    Refused before = byFramework.get(frameworkId);
    PMap<String, Integer> all = counts;
    if (before == null || before.counts() != own) {
      if (before != null) {
        for (var role : before.counts().entrySet()) {
          all = plus(all, role.getKey(), -role.getValue());
        }
      }
      for (var role : own.entrySet()) {
        all = plus(all, role.getKey(), role.getValue());
      }
    }
    return new OfferFilters(
        byAgent.isEmpty()
            ? byFramework.minus(frameworkId)
            : byFramework.plus(frameworkId, new Refused(byAgent, own, swept)),
        all);
  }

  private static PMap<String, Integer> plus(PMap<String, Integer> counts, String role, int more) {
    if (more == 0) {
      return counts;
    }
    int sum = counts.getOrDefault(role, 0) + more;
    return sum == 0 ? counts.minus(role) : counts.plus(role, sum);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OfferFilters filters && byFramework.equals(filters.byFramework);
  }

  @Override
  public int hashCode() {
    return byFramework.hashCode();
  }
}
