package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.mezzo.api.allocator.OfferConstraintsFilter;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** A framework under one of its roles. */
final class Member {
  final Framework framework;
  final Role role;
  final Sorter.Client client;

  /** Null when it wants every agent. */
  OfferConstraintsFilter constraints;

  /** Null when the cluster's applies. */
  List<Quantities> minAllocatable;

  /** Whether it is not tracked any more. */
  boolean gone;

  /** How many agents have their refusals on a page. */
  private static final int PAGE = 32;

  /** What it refused by number of the agent, in pages that are null where there is nothing. */
  private Refusal[][] refusals = {};

  /** The agents on which it refused something; what it refused lies with them. */
  private final Set<Agent> refusedOn = new HashSet<>();

  Member(Framework framework, Role role) {
    this.framework = framework;
    this.role = role;
    this.client = role.frameworks.add(framework.id, this);
    update();
  }

  void update() {
    OfferConstraintsFilter filter = framework.state.constraints();
    constraints = filter.isConstrained(role.name) ? filter : null;
    minAllocatable = framework.minAllocatable(role.name);
    role.frameworks.setActive(client, framework.wants(role.name));
  }

  void refuse(Agent agent, Resources resources, Instant expires) {
    refusedOn.add(agent);
    agent.addRefusal(this, resources, expires);
  }

  /** Notes what it refused on the agent of that number; null when that is nothing. */
  void refused(int agent, Refusal refusal) {
    int page = agent / PAGE;
    if (page >= refusals.length) {
      refusals = Arrays.copyOf(refusals, Math.max(page + 1, 2 * refusals.length));
    }
    if (refusals[page] == null) {
      refusals[page] = new Refusal[PAGE];
    }
    refusals[page][agent % PAGE] = refusal;
    if (refusal == null && Arrays.stream(refusals[page]).allMatch(Objects::isNull)) {
      refusals[page] = null;
    }
  }

  /** What it refused on an agent, expired or not; null if nothing. */
  Refusal refusal(Agent agent) {
    int page = agent.number / PAGE;
    return page < refusals.length && refusals[page] != null
        ? refusals[page][agent.number % PAGE]
        : null;
  }

  /** Whether it refused anything anywhere, which is cheaper to know than what. */
  boolean refuses() {
    return !refusedOn.isEmpty();
  }

  void forgetRefusals() {
    refusedOn.forEach(agent -> agent.forgetRefusals(this));
    refusedOn.clear();
    refusals = new Refusal[][] {};
  }

  /** Answers whether it had refused anything there. */
  boolean forgetRefusals(Agent agent) {
    if (!refusedOn.remove(agent)) {
      return false;
    }
    agent.forgetRefusals(this);
    return true;
  }

  /**
   * Forgets what has expired.
   *
   * @param woken told of each agent on which it may be offered more than before
   */
  void forgetExpired(long now, Consumer<Agent> woken) {
    refusedOn.removeIf(
        agent -> {
          Refusal before = refusal(agent);
          boolean all = agent.forgetExpired(this, now);
          if (all || refusal(agent) != before) {
            woken.accept(agent);
          }
          return all;
        });
  }

  /** The same for one agent. */
  void forgetExpired(Agent agent, long now) {
    if (agent.forgetExpired(this, now)) {
      refusedOn.remove(agent);
    }
  }
}
