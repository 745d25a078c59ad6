package org.mezzo.modules;

import java.util.ArrayList;
import java.util.List;
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
 * @param subscriptions what every instance is given to report by, in this order, before its
 *     takeover
 */
public record LeaseRequest<M extends Module>(
    Kind<M> kind,
    String name,
    DaemonContext context,
    Executor events,
    LeaseListener listener,
    Optional<Takeover<M>> takeover,
    List<Subscription<M, ?>> subscriptions) {

  public LeaseRequest {
    subscriptions = List.copyOf(subscriptions);
  }

  /** A request of a daemon that need not know who holds the lease. */
  public static <M extends Module> LeaseRequest<M> of(
      Kind<M> kind, String name, DaemonContext context, Executor events) {
    return new LeaseRequest<>(
        kind, name, context, events, LeaseListener.NONE, Optional.empty(), List.of());
  }

  /** The same with somebody who is told of holders. */
  public LeaseRequest<M> heardBy(LeaseListener other) {
    return new LeaseRequest<>(kind, name, context, events, other, takeover, subscriptions);
  }

  /** The same with something an instance must do before it holds the lease. */
  public LeaseRequest<M> after(Takeover<M> other) {
    return new LeaseRequest<>(
        kind, name, context, events, listener, Optional.of(other), subscriptions);
  }

  /**
   * The same with a subscription to what instances report. It is part of the request because an
   * instance may report as soon as it takes over, before it holds the lease.
   */
  public LeaseRequest<M> subscribe(Subscription<M, ?> subscription) {
    List<Subscription<M, ?>> more = new ArrayList<>(subscriptions);
    more.add(subscription);
    return new LeaseRequest<>(kind, name, context, events, listener, takeover, more);
  }
}
