package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.protocol.v1.master.Call;

/** A call that wants something of machines, and is answered with 200 when it is in force. */
abstract class MaintenanceCall implements ApiCall<Call> {
  private final MaintenanceOrders orders;
  private final Executor answers;
  private final CallDeclaration<Call> declaration;
  private final Function<Call, MaintenanceOrder> order;

  /**
   * A call.
   *
   * @param answers where it goes on once it is in force
   * @param order what it wants
   */
  MaintenanceCall(
      MaintenanceOrders orders,
      Executor answers,
      CallDeclaration<Call> declaration,
      Function<Call, MaintenanceOrder> order) {
    this.orders = orders;
    this.answers = answers;
    this.declaration = declaration;
    this.order = order;
  }

  @Override
  public final CallDeclaration<Call> declaration() {
    return declaration;
  }

  @Override
  public final void handle(Call call, CallExchange exchange) {
    exchange.when(
        orders.give(exchange.principal(), order.apply(call)), answers, done -> exchange.ok());
  }
}
