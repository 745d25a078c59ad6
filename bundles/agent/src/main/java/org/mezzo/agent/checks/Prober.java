package org.mezzo.agent.checks;

import java.time.Duration;
import java.util.function.Consumer;

/** Tries things. */
@FunctionalInterface
public interface Prober {

  /**
   * Begins a probe, now or as soon as not too many others are under way; returns at once.
   *
   * @param timeout counted from when it really begins, after which it is ended and has failed; zero
   *     is none
   * @param done told the outcome once, on any thread, maybe before this returns; not after {@link
   *     Probing#cancel}, but for what was on its way
   */
  Probing probe(Subject subject, Probe probe, Duration timeout, Consumer<Outcome> done);
}
