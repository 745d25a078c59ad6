package org.mezzo.containerizer.processes;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Which processes belong to a container: those of its cgroup, or without one those of its session
 * or with its mark in their environment. Safe for any thread.
 */
final class Members {
  private final Optional<Cgroups> cgroups;

  Members(Optional<Cgroups> cgroups) {
    this.cgroups = cgroups;
  }

  /** Whether its processes can be told without looking at all of the machine. */
  boolean grouped(ManagedContainer container) {
    return cgroups.isPresent() && container.cgroup.isPresent();
  }

  /**
   * All of them; with a cgroup those of the containers in it, too.
   *
   * @param snapshot asked for when there is no cgroup
   */
  Set<Long> all(ManagedContainer container, Supplier<ProcFs.Snapshot> snapshot) {
    Optional<Path> cgroup = container.cgroup;
    return cgroups.isPresent() && cgroup.isPresent()
        ? cgroups.get().processes(cgroup.get())
        : marked(container, snapshot);
  }

  /** Those that are in no container in it. */
  Set<Long> own(
      ManagedContainer container, Set<ManagedContainer> inner, Supplier<ProcFs.Snapshot> snapshot) {
    Optional<Path> cgroup = container.cgroup;
    if (cgroups.isEmpty() || cgroup.isEmpty()) {
      return marked(container, snapshot);
    }
    Set<Path> theirs = new HashSet<>();
    inner.forEach(each -> each.cgroup.ifPresent(theirs::add));
    return cgroups.get().processes(cgroup.get(), theirs);
  }

  private static Set<Long> marked(ManagedContainer container, Supplier<ProcFs.Snapshot> snapshot) {
    return snapshot
        .get()
        .members(container.container.id(), container.process.map(ShimProcess::leader).orElse(0L));
  }
}
