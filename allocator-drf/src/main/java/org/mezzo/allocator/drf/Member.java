package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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

  void forgetRefusals(Agent agent) {
    if (refusedOn.remove(agent)) {
      agent.forgetRefusals(this);
    }
  }

  void forgetExpired(Instant now) {
    refusedOn.removeIf(agent -> agent.forgetExpired(this, now));
  }
}
