package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateReader;

/**
 * An endpoint that writes JSON from the published state with what of it the caller may see: what
 * its permission names is asked about, and what was not asked about is left out.
 */
abstract class ReadingEndpoint implements ApiEndpoint {
  private final StateReader reader;
  private final LeaderGate gate;
  private final EndpointDeclaration declaration;
  private final List<Action> actions;

  ReadingEndpoint(StateReader reader, LeaderGate gate, EndpointDeclaration declaration) {
    this(reader, gate, declaration, declaration.permission().actions());
  }

  /**
   * One that does not only read.
   *
   * @param actions that are asked about when it reads
   */
  ReadingEndpoint(
      StateReader reader, LeaderGate gate, EndpointDeclaration declaration, List<Action> actions) {
    this.reader = reader;
    this.gate = gate;
    this.declaration = declaration;
    this.actions = actions;
  }

  @Override
  public final EndpointDeclaration declaration() {
    return declaration;
  }

  @Override
  public final void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Optional<HttpResponse> stopped = gate.check(exchange);
    if (stopped.isPresent()) {
      exchange.respond(stopped.get());
      return;
    }
    serve(exchange, principal);
  }

  /** Answers a request that came to the leader. */
  void serve(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    reader.read(
        exchange,
        principal,
        actions,
        (state, visibility) ->
            CommonEndpoints.respondJson(
                exchange, json -> write(new View(state, visibility, exchange), json)));
  }

  /** Writes the whole answer; runs on a worker. */
  abstract void write(View view, JsonOut json);
}
