package org.mezzo.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What every module kind extends. An instance serves exactly one daemon.
 *
 * <p>Threading: all methods of one instance, these included, are called one at a time on a thread
 * that belongs to the lease of the daemon, never on its event loop, so they may block within their
 * documented deadline. A call that throws is logged and counted and the instance is kept until it
 * has thrown repeatedly in a row; a call that passes its deadline costs the instance its lease and
 * its thread. The daemon goes on in both cases.
 */
@ConsumerType
public interface Module {

  /**
   * Called once, before anything else, after the lease was given. Throwing refuses the lease.
   *
   * @param context the daemon this instance serves from now on; never null
   */
  default void open(DaemonContext context) throws Exception {}

  /** Called once after the last call when the lease ends in order; not after a hang. */
  default void close() throws Exception {}
}
