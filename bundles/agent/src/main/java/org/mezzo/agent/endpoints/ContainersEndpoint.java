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

/** {@code /containers}. */
final class ContainersEndpoint implements ApiEndpoint {
  private static final String PATH = "/containers";

  private final ContainerLook containers;

  ContainersEndpoint(ContainerLook containers) {
    this.containers = containers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.<HttpExchange>endpoint(PATH).and(Permission.perObject(Action.VIEW_CONTAINER)),
        Help.of(
                "The containers that run.",
                "Answers with an array: ids, statistics and status of each container.")
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
                                .filter(one -> one.in(query))
                                .forEach(
                                    one ->
                                        json.object(
                                            () -> {
                                              json.field("container_id", one.container());
                                              one.describe(json);
                                              json.message("status", one.status());
                                            })))));
  }
}
