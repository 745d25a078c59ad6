package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.HashSet;
import java.util.List;
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

  /** Whether it refused anything anywhere, which is cheaper to know than what. */
  boolean refuses() {
    return !refusedOn.isEmpty();
  }

  void forgetRefusals() {
    refusedOn.forEach(agent -> agent.forgetRefusals(this));
    refusedOn.clear();
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
          Refusal before = agent.refusal(this);
          boolean all = agent.forgetExpired(this, now);
          if (all || agent.refusal(this) != before) {
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
