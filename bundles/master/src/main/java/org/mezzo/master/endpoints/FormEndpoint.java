package org.mezzo.master.endpoints;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.Form;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.LeaderGate;

/** Has the leading master do what a form in the body asks for; answers without a body. */
abstract class FormEndpoint implements ApiEndpoint {
  private final EndpointDeclaration declaration;
  private final LeaderGate gate;
  private final Executor answers;
  private final int done;

  /**
   * An endpoint of one master.
   *
   * @param answers where it is answered
   * @param done the status that says that it is done
   */
  FormEndpoint(EndpointDeclaration declaration, LeaderGate gate, Executor answers, int done) {
    this.declaration = declaration;
    this.gate = gate;
    this.answers = answers;
    this.done = done;
  }

  /** Does it; on a connector thread. Completes when it is done, or fails with {@link Refused}. */
  abstract CompletionStage<Void> change(Form form, Optional<Principal> principal) throws Refused;

  @Override
  public final EndpointDeclaration declaration() {
    return declaration;
  }

  @Override
  public final void handle(HttpExchange exchange, Optional<Principal> principal) {
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
                change(form, principal),
                answers,
                ended -> exchange.respond(HttpResponse.status(done))));
  }
}
