package org.mezzo.master.endpoints;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.Form;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.operator.FrameworkReadmission;
import org.mezzo.master.reads.LeaderGate;

/** {@code /mezzo/frameworks/readmit}: lets a removed framework subscribe again. Mezzo's own. */
final class ReadmitEndpoint implements ApiEndpoint {
  private final FrameworkReadmission readmission;
  private final LeaderGate gate;
  private final Executor answers;

  /**
   * The endpoint of one master.
   *
   * @param answers where it is answered
   */
  ReadmitEndpoint(FrameworkReadmission readmission, LeaderGate gate, Executor answers) {
    this.readmission = readmission;
    this.gate = gate;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/mezzo/frameworks/readmit",
        Set.of("POST"),
        Access.READWRITE,
        FrameworkReadmission.permission(),
        Help.of(
            "Lets a framework that has been removed subscribe again.",
            "Takes a form in the body with the id of the framework, 'frameworkId=...'. From then on"
                + " a SUBSCRIBE with that id and the same principal is accepted, and has the"
                + " completed tasks that are remembered of it. What was ended with it stays"
                + " ended."));
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
        Form.read(exchange),
        Runnable::run,
        form ->
            Router.when(
                exchange,
                readmission.readmit(form.required("frameworkId"), principal),
                answers,
                readmitted -> exchange.respond(HttpResponse.status(200))));
  }
}
