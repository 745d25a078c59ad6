package org.mezzo.agent.checks;

/** A probe under way. */
@FunctionalInterface
public interface Probing {
  /** Nothing is under way. */
  Probing NONE = () -> {};

  /**
   * Nobody wants to know any more: it ends, with whatever it runs, and tells nothing, but for an
   * outcome that is on its way. No effect once it has ended.
   */
  void cancel();
}
