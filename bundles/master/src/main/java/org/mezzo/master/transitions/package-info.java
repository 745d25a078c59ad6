/**
 * What a master does, as functions from a state and an event to a state and effects (by number of
 * the behaviour rules).
 *
 * <p>A step changes the state of a {@link org.mezzo.master.transitions.Transition} and notes
 * effects. The term publishes the state and then has the effects executed, in order. A step sees no
 * thread, no socket and no clock, so every one can be tested with nothing but states.
 */
package org.mezzo.master.transitions;
