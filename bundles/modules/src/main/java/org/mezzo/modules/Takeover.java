package org.mezzo.modules;

import java.util.function.BooleanSupplier;
import org.mezzo.api.Module;

/** Hands the state of a daemon to an instance before it holds the lease. */
@FunctionalInterface
public interface Takeover<M extends Module> {

  /**
   * Called on the events executor when no call runs in the instance before and none begins: what is
   * read here is what the instance before has left. Where this or the action fails the instance
   * does not get the lease, and the one before it goes on.
   *
   * @param valid tells, on any thread, whether the instance may still act; false from the moment it
   *     is retired. What the instance is given to call back with must ask it.
   * @return done to the instance on a thread of the lease, within the deadline of the kind
   */
  ModuleLease.Action<M> prepare(BooleanSupplier valid) throws Exception;
}
