package org.mezzo.containerizer.processes;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * In which mount namespace a process begins, and what is mounted there first. Immutable.
 *
 * @param in the process whose namespace it enters; empty: that of the launcher
 * @param own whether it then has one for itself, which begins as a copy
 * @param mounts in their order; only with one of its own
 */
record Mounting(Optional<ShimProcess> in, boolean own, List<Mount> mounts) {
  /** As the launcher's. */
  static final Mounting NONE = new Mounting(Optional.empty(), false, List.of());

  Mounting {
    mounts = List.copyOf(mounts);
  }

  /**
   * A bind mount.
   *
   * @param source absolute
   * @param asUser whether it is reached with no other rights than those of the process's user
   * @param target absolute; a sandbox that nobody but the agent can exchange, or the place itself
   * @param below where it appears below that, on a way on which no link is followed; empty for
   *     there itself
   * @param fixesRights whether programs gain no rights by being setuid, since one of them may trust
   *     what is mounted
   */
  record Mount(
      Path source,
      boolean asUser,
      Path target,
      Path below,
      boolean readOnly,
      boolean fixesRights) {}

  /** Whether nothing is asked of a launcher. */
  boolean isNone() {
    return in.isEmpty() && !own;
  }
}
