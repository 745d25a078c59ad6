package org.mezzo.modules;

import org.mezzo.api.Module;

/** Hands the state of a daemon to an instance before it holds the lease. */
@FunctionalInterface
public interface Takeover<M extends Module> {

  /**
   * Called on the events executor when no call runs in the instance before and none begins: what is
   * read here is what the instance before has left. Where this or the action fails the instance
   * does not get the lease, and the one before it goes on.
   *
   * <p>What an instance is to call back with is given by a {@link Subscription}.
   *
   * @return done to the instance on a thread of the lease, within the deadline of the kind
   */
  ModuleLease.Action<M> prepare() throws Exception;
}
