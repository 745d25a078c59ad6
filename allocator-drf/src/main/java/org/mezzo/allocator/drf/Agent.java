package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.resources.Resources;

/** An agent as the allocator sees it. */
final class Agent {
  final String id;
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

  /** What can be offered. Shared resources never become less (section 2). */
  Resources available;

  /** By who refused; null while nobody did. */
  private Map<Member, Refusal> refusals;

  /** Frameworks tend to refuse the same; those are kept once. */
  private Resources lastRefused = Resources.EMPTY;

  private Resources idleAvailable;
  private long idleVersion;
  private long idleUntil;

  Agent(AgentState state) {
    this.id = state.id();
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
    idleAvailable = null;
    reckon();
  }

  /** Remembers that nobody can be offered what is available while nothing else changes. */
  void rememberIdle(long version, long until) {
    idleAvailable = available;
    idleVersion = version;
    idleUntil = until;
  }

  /** Whether it is known that nobody can be offered what is available. */
  boolean isIdle(long version, long now) {
    return idleAvailable == available && idleVersion == version && now < idleUntil;
  }

  void addRefusal(Member member, Resources resources, Instant expires) {
    if (!lastRefused.equals(resources)) {
      lastRefused = resources;
    }
    if (refusals == null) {
      refusals = new IdentityHashMap<>();
    }
    long millis = Refusal.millis(expires);
    refusals.compute(
        member,
        (m, before) ->
            new Refusal(lastRefused, millis, Refusal.without(before, lastRefused, millis)));
  }

  /** What a member refused here, expired or not; null if nothing. */
  Refusal refusal(Member member) {
    return refusals == null ? null : refusals.get(member);
  }

  void forgetRefusals(Member member) {
    if (refusals != null) {
      refusals.remove(member);
      if (refusals.isEmpty()) {
        refusals = null;
      }
    }
  }

  /** Answers whether nothing is left of what the member refused here. */
  boolean forgetExpired(Member member, Instant now) {
    Refusal left = Refusal.unexpired(refusal(member), Refusal.millis(now));
    if (left == null) {
      forgetRefusals(member);
    } else {
      refusals.put(member, left);
    }
    return left == null;
  }

  void use(String frameworkId, Resources allocated) {
    used.merge(frameworkId, allocated, Resources::plus);
    taken = taken.plus(allocated.nonShared().unallocated());
    reckon();
  }

  void release(String frameworkId, Resources allocated) {
    used.computeIfPresent(
        frameworkId,
        (id, before) -> {
          Resources left = before.minus(allocated);
          return left.isEmpty() ? null : left;
        });
    taken = taken.minus(allocated.nonShared().unallocated());
    reckon();
  }

  private void reckon() {
    available = total.minus(taken);
  }

  /** What of these resources the framework really has here. */
  Resources held(String frameworkId, Resources allocated) {
    Resources has = used.getOrDefault(frameworkId, Resources.EMPTY);
    return has.contains(allocated) ? allocated : has.minus(has.minus(allocated));
  }
}
