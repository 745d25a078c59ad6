package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.offers.Explained;
import org.mezzo.master.offers.OfferExplanations;
import org.mezzo.master.reads.LeaderGate;

/** {@code /mezzo/offers/explain}: why a framework is offered nothing. Mezzo's own. */
final class OfferExplanationEndpoint implements ApiEndpoint {
  private static final int AGENTS = 100;
  private static final int MOST_AGENTS = 10_000;

  private final OfferExplanations explanations;
  private final LeaderGate gate;
  private final Executor answers;

  /**
   * The endpoint of one master.
   *
   * @param answers where it is answered
   */
  OfferExplanationEndpoint(OfferExplanations explanations, LeaderGate gate, Executor answers) {
    this.explanations = explanations;
    this.gate = gate;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/mezzo/offers/explain",
        Access.READONLY,
        OfferExplanations.permission(),
        Help.of(
                "Why a framework is not offered anything.",
                "Asks the allocator what stands between a framework and offers under a role:"
                    + " everywhere, and on each agent. An agent without hindrances is offered as"
                    + " soon as it is the framework's turn. Answers with what held at that"
                    + " moment.")
            .with("framework_id", "id of the framework; needed")
            .with("role", "one of its roles; needed when it has several")
            .with("agent_id", "only this agent")
            .with(
                "limit",
                "how many agents to list, %d by default and at most %d; all are counted"
                    .formatted(AGENTS, MOST_AGENTS))
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Optional<HttpResponse> stopped = gate.check(exchange);
    if (stopped.isPresent()) {
      exchange.respond(stopped.get());
      return;
    }
    Map<String, String> query = exchange.query();
    Optional<String> function = CommonEndpoints.function(query);
    String frameworkId = query.getOrDefault("framework_id", "");
    if (frameworkId.isEmpty()) {
      throw new Refused(400, "Query parameter 'framework_id' is missing: which framework is meant");
    }
    Router.when(
        exchange,
        explanations.explain(
            principal,
            frameworkId,
            given(query, "role"),
            given(query, "agent_id"),
            limit(query.get("limit"))),
        answers,
        answer -> exchange.respond(CommonEndpoints.json(function, json -> write(answer, json))));
  }

  private static Optional<String> given(Map<String, String> query, String name) {
    return Optional.ofNullable(query.get(name)).filter(value -> !value.isEmpty());
  }

  private static int limit(String text) throws Refused {
    try {
      int limit = text == null ? AGENTS : Integer.parseInt(text);
      if (limit >= 0 && limit <= MOST_AGENTS) {
        return limit;
      }
    } catch (NumberFormatException e) {
      // Told below, as a number out of range is.
    }
    throw new Refused(
        400,
        "Query parameter 'limit' is '%s': give a number from 0 to %d".formatted(text, MOST_AGENTS));
  }

  private static void write(Explained answer, JsonOut json) {
    OfferExplanation explanation = answer.explanation();
    json.object(
        () -> {
          json.field("framework_id", answer.question().frameworkId());
          json.field("role", answer.question().role());
          json.integer("offers_not_answered", answer.outstanding());
          hindrances(json, "everywhere", explanation.everywhere());
          json.integer("agents_looked_at", explanation.looked());
          json.integer("agents_without_hindrance", explanation.free());
          json.object(
              "agents_by_reason",
              () ->
                  explanation
                      .counts()
                      .forEach((reason, count) -> json.integer(reason.name(), count)));
          json.array(
              "agents",
              explanation.agents(),
              agent ->
                  json.object(
                      () -> {
                        json.field("agent_id", agent.agentId());
                        json.field("hostname", agent.hostname());
                        hindrances(json, "hindrances", agent.hindrances());
                      }));
        });
  }

  private static void hindrances(JsonOut json, String name, List<Hindrance> hindrances) {
    json.array(
        name,
        hindrances,
        hindrance ->
            json.object(
                () -> {
                  json.field("reason", hindrance.reason().name());
                  json.field("text", hindrance.text());
                  hindrance.until().ifPresent(until -> json.field("until", until.toString()));
                  if (!hindrance.otherRoles().isEmpty()) {
                    json.texts("roles", hindrance.otherRoles());
                  }
                }));
  }
}
