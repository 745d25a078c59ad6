package org.mezzo.allocator.drf;

import org.mezzo.resources.RoleAllocation;

/** A role that some framework is subscribed to or holds something under. */
final class Role {
  final String name;
  final boolean nested;
  final Sorter<Member> frameworks;
  final Sorter.Client client;
  final RoleAllocation allocation;
  int members;

  /** Null when it has none. */
  QuotaUse.Use quota;

  Role(String name, Sorter<Role> roles, Sorter<Member> frameworks) {
    this.name = name;
    this.nested = name.indexOf('/') >= 0;
    this.frameworks = frameworks;
    this.allocation = new RoleAllocation(name);
    this.client = roles.add(name, this);
    roles.setActive(client, true);
  }
}
