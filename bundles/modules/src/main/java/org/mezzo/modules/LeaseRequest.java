package org.mezzo.modules;

import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;

/**
 * Who wants which module.
 *
 * @param kind the kind's row
 * @param name the module's name as selected by a flag
 * @param context handed to the instance
 * @param events where listener, takeover and replies are called: the daemon's event loop
 * @param listener told of every change of the holder
 * @param takeover what an instance does before it holds the lease; empty for nothing
 */
public record LeaseRequest<M extends Module>(
    Kind<M> kind,
    String name,
    DaemonContext context,
    Executor events,
    LeaseListener listener,
    Optional<Takeover<M>> takeover) {

  /** A request of a daemon that need not know who holds the lease. */
  public static <M extends Module> LeaseRequest<M> of(
      Kind<M> kind, String name, DaemonContext context, Executor events) {
    return new LeaseRequest<>(kind, name, context, events, LeaseListener.NONE, Optional.empty());
  }

  /** The same with somebody who is told of holders. */
  public LeaseRequest<M> heardBy(LeaseListener other) {
    return new LeaseRequest<>(kind, name, context, events, other, takeover);
  }

  /** The same with something an instance must do before it holds the lease. */
  public LeaseRequest<M> after(Takeover<M> other) {
    return new LeaseRequest<>(kind, name, context, events, listener, Optional.of(other));
  }
}
