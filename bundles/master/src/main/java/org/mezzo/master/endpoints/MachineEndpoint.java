package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.operator.MaintenanceOrders;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.MachineID;

/**
 * {@code /machine/down} and {@code /machine/up}: the begin and the end of maintenance (rules 243,
 * 244).
 */
final class MachineEndpoint implements ApiEndpoint {
  private final EndpointDeclaration declaration;
  private final Function<List<MachineID>, MaintenanceOrder> order;
  private final MaintenanceOrders orders;
  private final LeaderGate gate;
  private final Executor answers;

  private MachineEndpoint(
      EndpointDeclaration declaration,
      Function<List<MachineID>, MaintenanceOrder> order,
      MaintenanceOrders orders,
      LeaderGate gate,
      Executor answers) {
    this.declaration = declaration;
    this.order = order;
    this.orders = orders;
    this.gate = gate;
    this.answers = answers;
  }

  /**
   * The endpoint that takes machines down.
   *
   * @param answers where it is answered
   */
  static MachineEndpoint down(MaintenanceOrders orders, LeaderGate gate, Executor answers) {
    return new MachineEndpoint(
        declaration(
            "/machine/down",
            Action.START_MAINTENANCE,
            Help.of(
                "Takes machines down.",
                "Takes an array of machines in JSON, each with hostname and ip as it stands in the"
                    + " maintenance schedule. Their agents have to end and their tasks are lost; no"
                    + " agent of them may register before they are up again.")),
        MaintenanceOrder.TakeDown::new,
        orders,
        gate,
        answers);
  }

  /**
   * The endpoint that brings machines up.
   *
   * @param answers where it is answered
   */
  static MachineEndpoint up(MaintenanceOrders orders, LeaderGate gate, Executor answers) {
    return new MachineEndpoint(
        declaration(
            "/machine/up",
            Action.STOP_MAINTENANCE,
            Help.of(
                "Brings machines up.",
                "Takes an array of machines in JSON that were taken down, each with hostname and"
                    + " ip. They leave the maintenance schedule.")),
        MaintenanceOrder.BringUp::new,
        orders,
        gate,
        answers);
  }

  private static EndpointDeclaration declaration(String path, Action action, Help help) {
    return new EndpointDeclaration(
        path, Set.of("POST"), Access.READWRITE, Permission.perObject(action), help);
  }

  @Override
  public EndpointDeclaration declaration() {
    return declaration;
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    Optional<HttpResponse> stopped = gate.check(exchange);
    if (stopped.isPresent()) {
      exchange.respond(stopped.get());
      return;
    }
    Router.when(
        exchange,
        PolicyRequests.body(exchange),
        Runnable::run,
        body ->
            Router.when(
                exchange,
                orders.give(principal, order.apply(read(body))),
                answers,
                done -> exchange.respond(HttpResponse.status(200))));
  }

  private static List<MachineID> read(byte[] body) throws Refused {
    try {
      return Json.decodeList(body, MachineID.getDefaultInstance());
    } catch (JsonFormatException e) {
      throw new Refused(400, e.getMessage());
    }
  }
}
