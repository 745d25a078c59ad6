package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceKind.Type;
import org.mezzo.resources.Resources;

/** An agent as the allocator sees it. */
final class Agent {
  final String id;

  /** Small, and no other agent's at the time. */
  final int number;

  AgentInfo info;
  boolean active;
  boolean multiRole;
  boolean hierarchicalRole;
  boolean hasGpus;
  Optional<String> region;
  Resources total;

  /** Null unless it was announced that the agent becomes unavailable. */
  Maintenance maintenance;

  /** By framework id, with allocation roles. */
  final Map<String, Resources> used = new HashMap<>();

  /** What is used of everything that is not shared, without allocation roles. */
  private Resources taken = Resources.EMPTY;

  /**
   * What was offered last and is not in {@link #taken} yet: whoever declines all of it spares both
   * the sum and the difference.
   */
  private Resources offeredLast = Resources.EMPTY;

  /** What can be offered. Shared resources never become less (section 2). */
  Resources available;

  /** Null when that has to be worked out. */
  private Quantities amounts;

  /** Whether the amounts are worth an offer, by the cluster's idea of it; null if not known. */
  private Boolean enough;

  private Resources refusedBefore;
  private Resources offerBefore;
  private boolean containedBefore;

  /** By who refused; null while nobody did. Members know theirs, too, by number. */
  private Map<Member, Refusal> refusals;

  /** Frameworks tend to refuse the same; those are kept once. */
  private Resources lastRefused = Resources.EMPTY;

  /** Whether all that can be offered is neither reserved nor revocable, as far as it is scalar. */
  boolean plain;

  /** Whether something can only be offered whole. */
  boolean indivisible;

  /** What is known of whom nothing can be offered here; null when nothing is. */
  Idle idle;

  /** Where it is among those that may be worth a visit; negative when it is not. */
  int place = -1;

  /** The moment for which it waits in the index's queue. */
  long queuedFor = Long.MAX_VALUE;

  /** Who may be offered something here in the present run. */
  Changes.Scope scope;

  /** When the first refusal ends that stood in the way in the present run. */
  long wakeUp;

  /** Whether something was offered here in the present run. */
  boolean offered;

  /** Whether what is kept back for others has cut an offer here in the present run. */
  boolean cut;

  Agent(AgentState state, int number) {
    this.id = state.id();
    this.number = number;
    update(state);
  }

  /** Takes over everything but what is used. */
  void update(AgentState state) {
    Set<String> capabilities = state.capabilities();
    info = state.info();
    active = state.active();
    multiRole = capabilities.contains("MULTI_ROLE");
    hierarchicalRole = capabilities.contains("HIERARCHICAL_ROLE");
    region =
        info.getDomain().hasFaultDomain()
            ? Optional.of(info.getDomain().getFaultDomain().getRegion().getName())
            : Optional.empty();
    Unavailability announced = state.unavailability().orElse(null);
    if (announced == null) {
      maintenance = null;
    } else if (maintenance == null || !maintenance.unavailability.equals(announced)) {
      // What was answered to another announcement does not count for this one.
      maintenance = new Maintenance(announced);
    }
    total = state.total().unallocated();
    hasGpus = total.scalar("gpus") > 0;
    plain = true;
    indivisible = false;
    for (Resource resource : total) {
      boolean scalar = resource.type() == Type.SCALAR;
      plain &= !scalar || (resource.reservationRole().isEmpty() && !resource.kind().isRevocable());
      indivisible |= resource.kind().isIndivisible();
    }
    reckon();
  }

  /**
   * That nothing can be offered here: it holds until somebody may be offered more than before, and
   * also when less is free.
   *
   * @param moment members that {@link Changes changed} later may be offered something
   * @param until when a refusal ends that stood in the way
   * @param cut whether what is kept back for others stood in the way
   * @param keptBack how much that was, in versions of {@link QuotaUse}
   * @param era what happens to everybody ends it
   */
  record Idle(long moment, long until, boolean cut, long keptBack, long era) {}

  /** Forgets refusals that are over, and hands out the members whose they were. */
  Set<Member> takeExpired(long now) {
    Set<Member> expired = new LinkedHashSet<>();
    if (refusals != null) {
      for (Map.Entry<Member, Refusal> entry : refusals.entrySet()) {
        for (Refusal refusal = entry.getValue(); refusal != null; refusal = refusal.next) {
          if (refusal.expires <= now) {
            expired.add(entry.getKey());
          }
        }
      }
      expired.forEach(member -> member.forgetExpired(this, now));
    }
    return expired;
  }

  /** When the next refusal is over. */
  long nextExpiry() {
    long next = Long.MAX_VALUE;
    if (refusals != null) {
      for (Refusal first : refusals.values()) {
        for (Refusal refusal = first; refusal != null; refusal = refusal.next) {
          next = Math.min(next, refusal.expires);
        }
      }
    }
    return next;
  }

  void addRefusal(Member member, Resources resources, Instant expires) {
    if (!lastRefused.equals(resources)) {
      lastRefused = resources;
    }
    if (refusals == null) {
      refusals = new IdentityHashMap<>();
    }
    long millis = Refusal.millis(expires);
    Refusal rest = Refusal.without(refusals.get(member), lastRefused, millis);
    keep(member, new Refusal(lastRefused, millis, rest));
  }

  private void keep(Member member, Refusal refusal) {
    refusals.put(member, refusal);
    member.refused(number, refusal);
  }

  void forgetRefusals(Member member) {
    if (refusals != null) {
      refusals.remove(member);
      member.refused(number, null);
      if (refusals.isEmpty()) {
        refusals = null;
      }
    }
  }

  /** Answers whether nothing is left of what the member refused here. */
  boolean forgetExpired(Member member, long now) {
    Refusal left = Refusal.unexpired(member.refusal(this), now);
    if (left == null) {
      forgetRefusals(member);
    } else {
      keep(member, left);
    }
    return left == null;
  }

  void use(String frameworkId, Resources allocated) {
    used.merge(frameworkId, allocated, Resources::plus);
    take(allocated.nonShared().unallocated());
    reckon();
  }

  /**
   * The framework uses part of what is available.
   *
   * @param offered the part
   * @param allocated the same, allocated
   */
  void offer(String frameworkId, Resources offered, Resources allocated) {
    used.merge(frameworkId, allocated, Resources::plus);
    Resources part = offered.nonShared();
    take(offeredLast);
    offeredLast = part;
    setAvailable(part == available ? Resources.EMPTY : available.minus(part));
  }

  private void take(Resources part) {
    taken = taken.plus(part);
  }

  void release(String frameworkId, Resources allocated) {
    used.computeIfPresent(
        frameworkId,
        (id, before) -> {
          Resources left = before.minus(allocated);
          return left.isEmpty() ? null : left;
        });
    Resources part = allocated.nonShared().unallocated();
    if (offeredLast.equals(part)) {
      offeredLast = Resources.EMPTY;
    } else {
      take(offeredLast);
      offeredLast = Resources.EMPTY;
      taken = taken.minus(part);
    }
    reckon();
  }

  private void reckon() {
    take(offeredLast);
    offeredLast = Resources.EMPTY;
    setAvailable(total.minus(taken));
  }

  private void setAvailable(Resources left) {
    available = left;
    amounts = null;
    enough = null;
  }

  /**
   * Whether what is available has all of one of these, which must be the same each time.
   *
   * @param least empty for anything
   */
  boolean hasEnough(List<Quantities> least) {
    if (enough == null) {
      enough = Cycle.isEnough(amounts(), least);
    }
    return enough;
  }

  /**
   * Whether what was refused contains the offer; one framework after the other refuses the same.
   */
  boolean contains(Resources refused, Resources offer) {
    if (refused != refusedBefore || offer != offerBefore) {
      refusedBefore = refused;
      offerBefore = offer;
      containedBefore = refused.contains(offer);
    }
    return containedBefore;
  }

  /** How much is available. */
  Quantities amounts() {
    if (amounts == null) {
      amounts = available.quantities();
    }
    return amounts;
  }

  /** What of these resources the framework really has here. */
  Resources held(String frameworkId, Resources allocated) {
    Resources has = used.getOrDefault(frameworkId, Resources.EMPTY);
    return has.contains(allocated) ? allocated : has.minus(has.minus(allocated));
  }
}
