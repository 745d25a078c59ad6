package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.operator.MaintenanceOrders;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.MaintenanceReports;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.maintenance.Schedule;

/**
 * {@code /maintenance/schedule}: when machines are maintained, and a new plan by POST (rule 240).
 */
final class MaintenanceScheduleEndpoint extends ReadingEndpoint {
  private final MaintenanceOrders orders;
  private final Executor executor;

  /**
   * The endpoint of one master.
   *
   * @param executor where changes are answered
   */
  MaintenanceScheduleEndpoint(
      StateAnswers answers, LeaderGate gate, MaintenanceOrders orders, Executor executor) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/maintenance/schedule",
            Set.of("GET", "POST"),
            Access.READWRITE,
            Permission.perObject(
                Action.GET_MAINTENANCE_SCHEDULE, Action.UPDATE_MAINTENANCE_SCHEDULE),
            Help.of(
                    "When machines are maintained.",
                    "GET answers with what is planned. POST takes an object with windows in JSON,"
                        + " each with machine_ids (hostname and ip) and unavailability, which"
                        + " replaces the whole plan and is kept in the registry. Later offers of"
                        + " the agents say when they are unavailable.")
                .with("jsonp", "name of a function; the answer is then a call of it")),
        List.of(Action.GET_MAINTENANCE_SCHEDULE));
    this.orders = orders;
    this.executor = executor;
  }

  @Override
  void serve(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    if (!exchange.method().equals("POST")) {
      super.serve(exchange, principal);
      return;
    }
    Router.when(
        exchange,
        PolicyRequests.body(exchange),
        Runnable::run,
        body ->
            Router.when(
                exchange,
                orders.give(principal, new MaintenanceOrder.Plan(read(body))),
                executor,
                done -> exchange.respond(HttpResponse.status(200))));
  }

  private static Schedule read(byte[] body) throws Refused {
    try {
      return Json.decode(body, Schedule.getDefaultInstance());
    } catch (JsonFormatException e) {
      throw new Refused(400, e.getMessage());
    }
  }

  @Override
  void write(View view, JsonOut json) {
    json.message(MaintenanceReports.schedule(view.state(), view.visibility()));
  }
}
