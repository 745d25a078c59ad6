package org.mezzo.containerizer.processes;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.containerizer.ContainerId;

/**
 * The tree of all containers of an agent: those of executors and standalone ones, nested and debug
 * ones, also those of which nothing is left but how they ended. Changed on the loop only; looked
 * into from any thread.
 */
final class ContainerTable {
  private final int mostResults;
  private final Map<ContainerId, ManagedContainer> all = new ConcurrentHashMap<>();
  private final Map<String, ManagedContainer> byKey = new ConcurrentHashMap<>();
  private final Map<String, ManagedContainer> byPath = new ConcurrentHashMap<>();
  private final Set<ManagedContainer> ended = new LinkedHashSet<>();
  private volatile int results;

  /**
   * An empty tree.
   *
   * @param mostResults of so many containers that have ended it is known how
   */
  ContainerTable(int mostResults) {
    this.mostResults = mostResults;
  }

  Optional<ManagedContainer> find(ContainerId id) {
    return Optional.ofNullable(all.get(id));
  }

  /** By what the launcher knows it by. */
  Optional<ManagedContainer> byKey(String key) {
    return Optional.ofNullable(byKey.get(key));
  }

  /** By what isolators know it by. */
  Optional<ManagedContainer> byPath(String path) {
    return Optional.ofNullable(byPath.get(path));
  }

  /** In no order, unless they are {@link #inOrder}. */
  Collection<ManagedContainer> all() {
    return all.values();
  }

  /** An outer container before those in it. */
  Collection<ManagedContainer> inOrder() {
    Set<ManagedContainer> ordered = new LinkedHashSet<>();
    for (ManagedContainer each : all.values()) {
      if (each.parent.isEmpty()) {
        collect(each, ordered);
      }
    }
    return ordered;
  }

  private static void collect(ManagedContainer outer, Set<ManagedContainer> into) {
    into.add(outer);
    outer.children.forEach(inner -> collect(inner, into));
  }

  /** Ids of those that have, or will have, processes. */
  Set<ContainerId> listed() {
    Set<ContainerId> ids = new HashSet<>();
    for (ManagedContainer each : all.values()) {
      if (each.listed()) {
        ids.add(each.id);
      }
    }
    return ids;
  }

  void add(ManagedContainer added) {
    all.put(added.id, added);
    byKey.put(added.key, added);
    byPath.put(added.container.id(), added);
    added.parent.ifPresent(
        outer -> {
          outer.children.add(added);
          outer.life.parent();
        });
  }

  void remove(ManagedContainer gone) {
    all.remove(gone.id, gone);
    byKey.remove(gone.key, gone);
    byPath.remove(gone.container.id(), gone);
    ended.remove(gone);
    results = ended.size();
    gone.parent.ifPresent(outer -> outer.children.remove(gone));
  }

  /**
   * Keeps how a container ended.
   *
   * @return the one that has to go for it
   */
  Optional<ManagedContainer> ended(ManagedContainer over) {
    ended.add(over);
    results = ended.size();
    return ended.size() > mostResults ? Optional.of(ended.iterator().next()) : Optional.empty();
  }

  /** Whether a container has containers in it that are not over. */
  static boolean occupied(ManagedContainer outer) {
    return outer.children.stream().anyMatch(inner -> !inner.life.over());
  }

  /** Of how many containers nothing is left but how they ended. */
  int results() {
    return results;
  }
}
