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
import org.mezzo.master.operator.FrameworkTeardown;
import org.mezzo.master.reads.LeaderGate;

/** {@code /teardown}: ends a framework. */
final class TeardownEndpoint implements ApiEndpoint {
  private final FrameworkTeardown teardown;
  private final LeaderGate gate;
  private final Executor answers;

  /**
   * The endpoint of one master.
   *
   * @param answers where it is answered
   */
  TeardownEndpoint(FrameworkTeardown teardown, LeaderGate gate, Executor answers) {
    this.teardown = teardown;
    this.gate = gate;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/teardown",
        Set.of("POST"),
        Access.READWRITE,
        FrameworkTeardown.permission(),
        Help.of(
            "Ends a framework with all its tasks, for good.",
            "Takes a form in the body with the id of the framework, 'frameworkId=...', and answers"
                + " when it is gone: its agents are told to kill its tasks, its stream has ended,"
                + " and it cannot subscribe again."));
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
                teardown.end(form.required("frameworkId"), principal),
                answers,
                ended -> exchange.respond(HttpResponse.status(200))));
  }
}
