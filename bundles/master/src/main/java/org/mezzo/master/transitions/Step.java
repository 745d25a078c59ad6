package org.mezzo.master.transitions;

/** One change of the state: a function from a state and what it closes over to a transition. */
@FunctionalInterface
public interface Step {
  /** Runs on the event loop; must not block and must not touch anything but the transition. */
  void apply(Transition tx);
}
