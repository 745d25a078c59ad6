package org.mezzo.allocator.drf;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who may be offered since some moment what he could not be offered before, whatever the agent: so
 * that an agent that nobody could be offered is looked at for those only.
 */
final class Changes {
  /** So many at a time are as good as everybody. */
  private static final int MOST = 10_000;

  /** So many are looked at one by one, whatever their order. */
  private static final int FEW = 4;

  /** What changed: a member, or a role with all its members. */
  private record Change(Role role, Member member) {}

  private final List<Change> changes = new ArrayList<>();
  private long begin;

  /** Whether somebody knows the moment after the last change. */
  private boolean asked;

  /** The moment after all that has changed so far. */
  long now() {
    asked = true;
    return begin + changes.size();
  }

  /** A member may be offered more. */
  void of(Member member) {
    add(new Change(member.role, member));
  }

  /** Every member of a role may be offered more. */
  void of(Role role) {
    add(new Change(role, null));
  }

  private void add(Change change) {
    if (!asked && !changes.isEmpty() && changes.get(changes.size() - 1).equals(change)) {
      return;
    }
    asked = false;
    if (changes.size() == MOST) {
      forgetBefore(begin + MOST);
    }
    changes.add(change);
  }

  /** Nobody will ask what changed before. */
  void forgetBefore(long moment) {
    if (moment > begin) {
      changes.subList(0, (int) (moment - begin)).clear();
      begin = moment;
    }
  }

  /**
   * Who changed since a moment; everybody when that is not known any more.
   *
   * @param more who is added to them
   */
  Scope since(long moment, Collection<Member> more) {
    if (moment < begin) {
      return Scope.EVERYBODY;
    }
    Scope scope = new Scope();
    for (Change change : changes.subList((int) (moment - begin), changes.size())) {
      scope.add(change.role, change.member);
    }
    for (Member member : more) {
      scope.add(member.role, member);
    }
    return scope;
  }

  /** Some members, by role. */
  static final class Scope {
    /** Stands for everybody. */
    static final Scope EVERYBODY = new Scope();

    /** An empty set stands for every member of the role. */
    private final Map<Role, Set<Member>> members = new LinkedHashMap<>();

    private final Map<Role, Sorter.Subset<Member>> subsets = new LinkedHashMap<>();
    private Sorter.Subset<Role> roles;
    private boolean counted;
    private Member[] few;

    private void add(Role role, Member member) {
      if (role.members == 0 || (member != null && member.gone)) {
        return;
      }
      Set<Member> known = members.get(role);
      if (member == null) {
        members.put(role, Set.of());
      } else if (known == null) {
        members.put(role, new LinkedHashSet<>(Set.of(member)));
      } else if (!known.isEmpty()) {
        known.add(member);
      }
    }

    /** Its members; null when they are more than a few, or not known one by one. */
    Member[] few() {
      if (!counted) {
        counted = true;
        few = members();
      }
      return few;
    }

    private Member[] members() {
      List<Member> all = new ArrayList<>();
      for (Set<Member> some : members.values()) {
        all.addAll(some);
        if (some.isEmpty() || all.size() > FEW) {
          return null;
        }
      }
      return all.isEmpty() ? null : all.toArray(Member[]::new);
    }

    /** Whether nobody is in it. */
    boolean isEmpty() {
      return this != EVERYBODY && members.isEmpty();
    }

    /** The roles in their order. */
    Sorter.Subset<Role> roles(Sorter<Role> sorter) {
      if (roles == null) {
        roles = sorter.subset(members.keySet().stream().map(role -> role.client).toList());
      }
      return roles;
    }

    /** The members of a role in their order; null stands for all of them. */
    Sorter.Subset<Member> members(Role role) {
      Set<Member> some = members.getOrDefault(role, Set.of());
      return some.isEmpty()
          ? null
          : subsets.computeIfAbsent(
              role,
              it -> it.frameworks.subset(some.stream().map(member -> member.client).toList()));
    }
  }
}
