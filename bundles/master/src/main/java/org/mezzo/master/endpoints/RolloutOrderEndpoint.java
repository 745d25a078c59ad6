package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.rollouts.Rollouts;

/** {@code /mezzo/rollouts/pause} and its like: what an operator wants of a rollout. */
final class RolloutOrderEndpoint implements ApiEndpoint {
  private final EndpointDeclaration declaration;
  private final Rollouts.Order order;
  private final RolloutRequests requests;
  private final LeaderGate gate;
  private final Executor answers;

  private RolloutOrderEndpoint(
      String name,
      Help help,
      Rollouts.Order order,
      RolloutRequests requests,
      LeaderGate gate,
      Executor answers) {
    declaration =
        new EndpointDeclaration(
            RolloutsEndpoint.PATH + "/" + name,
            Set.of("POST"),
            Access.READWRITE,
            Permission.perObject(Action.CHANGE_MODULES),
            help);
    this.order = order;
    this.requests = requests;
    this.gate = gate;
    this.answers = answers;
  }

  /**
   * All of them.
   *
   * @param answers where answers are made
   */
  static List<ApiEndpoint> all(RolloutRequests requests, LeaderGate gate, Executor answers) {
    return List.of(
        new RolloutOrderEndpoint(
            "pause",
            Help.of(
                "Begins no further batch of a rollout until it is resumed.",
                "Hosts that do worse still end it. Answers as /mezzo/rollouts does."),
            Rollouts.Order.PAUSE,
            requests,
            gate,
            answers),
        new RolloutOrderEndpoint(
            "resume",
            Help.of("Goes on with a rollout.", "Answers as /mezzo/rollouts does."),
            Rollouts.Order.RESUME,
            requests,
            gate,
            answers),
        new RolloutOrderEndpoint(
            "abort",
            Help.of(
                "Stops a rollout, and undoes it.",
                "The hosts that were changed go back to what they had. Answers as"
                    + " /mezzo/rollouts does."),
            Rollouts.Order.ABORT,
            requests,
            gate,
            answers),
        new RolloutOrderEndpoint(
            "rollback",
            Help.of(
                "Goes back to the generation before.",
                "Aborts the rollout that is under way; without one the generation before the"
                    + " present one is rolled out, in batches as large as the last time. Answers"
                    + " as /mezzo/rollouts does."),
            Rollouts.Order.ROLLBACK,
            requests,
            gate,
            answers));
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
        requests.ask(
            principal,
            Action.CHANGE_MODULES,
            rollouts -> rollouts.order(order, RolloutRequests.name(principal))),
        answers,
        report -> CommonEndpoints.respondJson(exchange, json -> RolloutJson.write(report, json)));
  }
}
