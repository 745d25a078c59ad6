package org.mezzo.master.operator;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.master.transitions.Maintenances;

/**
 * Does what operators want of machines, by whatever call it came: asks for leave, and has it judged
 * and done on the event loop. Safe for any thread.
 */
public final class MaintenanceOrders {
  private final LeaderChanges changes;
  private final Authorization authorization;

  public MaintenanceOrders(LeaderChanges changes, Authorization authorization) {
    this.changes = changes;
    this.authorization = authorization;
  }

  /**
   * Does what is wanted.
   *
   * @return completes on the event loop when it is stored and in force, and no agent is registered
   *     any more on machines that were taken down; with a {@link CompletionException} around a
   *     {@link Refused} when it is not done
   */
  public CompletionStage<Void> give(Optional<Principal> principal, MaintenanceOrder order) {
    return authorization
        .decide(principal, List.of(order.action()), it -> it.approved(order.action()))
        .thenCompose(
            allowed ->
                changes.make((tx, outcome) -> Maintenances.order(tx, order, allowed, outcome)));
  }
}
