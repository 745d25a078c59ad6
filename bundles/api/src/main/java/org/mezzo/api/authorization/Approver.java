package org.mezzo.api.authorization;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tells what one client may do in one request. It knows already who asks and what for, so that
 * nobody waits while an answer is written.
 *
 * <p>Threading: called on the daemon's own threads, several at a time, and once for each object
 * that the request is about, which may be a hundred thousand. It does no I/O, waits for nothing and
 * returns at once. It is asked until the request has ended, never after that or after its
 * authorizer was closed.
 *
 * <p>One call that does not return within two to four seconds is interrupted, and its thread is
 * given up: the request is decided as if nothing was approved, and its authorizer is quarantined as
 * a module whose call hangs. If it ever returns, nothing is done with what it says.
 *
 * <p>What it throws counts as no, and once for each request as a failed call of its authorizer.
 */
@ConsumerType
@FunctionalInterface
public interface Approver {

  /**
   * Whether the action is allowed.
   *
   * @param action one of those that the approver was asked for; others are refused without it
   * @param object what the action is about; {@link AuthorizationObject#ANY} when about anything
   */
  boolean approved(Action action, AuthorizationObject object);
}
