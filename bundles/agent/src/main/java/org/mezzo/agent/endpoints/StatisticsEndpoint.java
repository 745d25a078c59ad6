package org.mezzo.agent.endpoints;

import java.util.Map;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.http.HttpExchange;

/** {@code /monitor/statistics}. */
final class StatisticsEndpoint implements ApiEndpoint {
  private static final String PATH = "/monitor/statistics";

  private final ContainerLook containers;

  StatisticsEndpoint(ContainerLook containers) {
    this.containers = containers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.<HttpExchange>endpoint(PATH).and(Permission.perObject(Action.VIEW_CONTAINER)),
        Help.of(
                "What executors use.",
                "Answers with an array: ids and statistics of each executor of whose container"
                    + " anything is known.")
            .with("container_id", ContainerLook.CONTAINER_ID)
            .with("framework_id", ContainerLook.FRAMEWORK_ID)
            .with("executor_id", ContainerLook.EXECUTOR_ID)
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Map<String, String> query = exchange.query();
    ContainerLook.check(query);
    Router.when(
        exchange,
        containers.look(principal),
        containers.workers(),
        all ->
            CommonEndpoints.respondJson(
                exchange,
                json ->
                    json.array(
                        () ->
                            all.stream()
                                .filter(one -> one.in(query) && one.usage().isPresent())
                                .forEach(one -> json.object(() -> one.describe(json))))));
  }
}
