package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;

/**
 * An endpoint that writes JSON from the published state with what of it the caller may see: what
 * its permission names is asked about, and what was not asked about is left out.
 */
abstract class ReadingEndpoint implements ApiEndpoint {
  private final StateAnswers answers;
  private final LeaderGate gate;
  private final EndpointDeclaration declaration;
  private final List<Action> actions;

  ReadingEndpoint(StateAnswers answers, LeaderGate gate, EndpointDeclaration declaration) {
    this(answers, gate, declaration, declaration.permission().actions());
  }

  /**
   * One that does not only read.
   *
   * @param actions that are asked about when it reads
   */
  ReadingEndpoint(
      StateAnswers answers,
      LeaderGate gate,
      EndpointDeclaration declaration,
      List<Action> actions) {
    this.answers = answers;
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
    Map<String, String> parameters = known(exchange.query());
    Optional<String> function = CommonEndpoints.function(parameters);
    answers.answer(
        exchange,
        principal,
        actions,
        declaration.path(),
        parameters,
        (root, visibility) ->
            CommonEndpoints.json(
                function, json -> write(new View(root, visibility, parameters), json)));
  }

  /** What the help tells of; clients that want to pass caches add what nobody reads. */
  private Map<String, String> known(Map<String, String> query) {
    Map<String, String> known = new TreeMap<>();
    for (Help.Parameter parameter : declaration.help().parameters()) {
      String value = query.get(parameter.name());
      if (value != null) {
        known.put(parameter.name(), value);
      }
    }
    return known;
  }

  /** Writes the whole answer; runs on a reader. */
  abstract void write(View view, JsonOut json);
}
