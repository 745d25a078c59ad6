package org.mezzo.daemon.wanted;

import java.util.Optional;
import java.util.Set;

/**
 * Which bundle of a symbolic name a host is to run. There are three layers: what it was set up
 * with, over that what the cluster wants, and over both what somebody put there by hand.
 */
final class LayerRule {
  /** What is to be done. */
  enum Verdict {
    /** Nothing: it is as the cluster wants it. */
    AS_WANTED,
    /** Install what the cluster wants. */
    INSTALL,
    /** Nothing: somebody put another one there. */
    OVERRIDDEN,
    /** Install what the host was set up with: the cluster wants nothing any more. */
    RESTORE,
    /** Remove what the cluster wanted: there was none before, and it wants nothing any more. */
    REMOVE,
    /** Nothing, and nothing needs to be remembered: the cluster has nothing to do with it. */
    FORGET
  }

  /**
   * What is remembered about a symbolic name since the cluster wanted something of it.
   *
   * @param base the digest of what the host had before; empty when it had none
   * @param ours digests of what was installed because the cluster wanted it
   */
  record Memory(Optional<String> base, Set<String> ours) {
    Memory {
      ours = Set.copyOf(ours);
    }
  }

  private LayerRule() {}

  /**
   * Decides.
   *
   * @param wanted the digest that the cluster wants; empty when it wants none
   * @param installed the digest of what is installed; empty when nothing is
   * @param memory empty as long as the cluster has wanted nothing
   * @param byHand whether what is installed is known to have been put there by somebody; asked only
   *     where nothing is remembered
   */
  static Verdict decide(
      Optional<String> wanted,
      Optional<String> installed,
      Optional<Memory> memory,
      boolean byHand) {
    boolean replaceable =
        installed.isEmpty()
            || memory
                .map(it -> it.ours().contains(installed.get()) || it.base().equals(installed))
                .orElse(!byHand);
    if (wanted.isPresent()) {
      if (wanted.equals(installed)) {
        return Verdict.AS_WANTED;
      }
      return replaceable ? Verdict.INSTALL : Verdict.OVERRIDDEN;
    }
    boolean ours =
        memory.isPresent()
            && installed.isPresent()
            && memory.get().ours().contains(installed.get())
            && !memory.get().base().equals(installed);
    if (!ours) {
      return Verdict.FORGET;
    }
    return memory.get().base().isPresent() ? Verdict.RESTORE : Verdict.REMOVE;
  }
}
