package org.mezzo.deployment.bundles;

import java.util.List;

/**
 * Bundles that took over together, and those that they took over from, which stay installed until
 * it is decided: a version and its predecessor, or several of both where others depend on them.
 */
final class Succession {
  /** The first is the one that was changed, the others need it, directly or not. */
  final List<Installed> heirs;

  /** The predecessors, in the same order. */
  final List<Installed> formers;

  /** Since when the heirs run. */
  final long sinceNanos = System.nanoTime();

  Succession(List<Installed> heirs, List<Installed> formers) {
    this.heirs = List.copyOf(heirs);
    this.formers = List.copyOf(formers);
  }

  /** The one that was changed. */
  Installed heir() {
    return heirs.get(0);
  }

  /** What the changed one was before. */
  Installed former() {
    return formers.get(0);
  }
}
