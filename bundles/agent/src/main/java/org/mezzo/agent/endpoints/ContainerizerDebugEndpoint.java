package org.mezzo.agent.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;

/** {@code /containerizer/debug}: what the containerizer has begun and not ended. */
final class ContainerizerDebugEndpoint implements ApiEndpoint {
  private static final String PATH = "/containerizer/debug";

  private final Containerizer containerizer;

  ContainerizerDebugEndpoint(Containerizer containerizer) {
    this.containerizer = containerizer;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "What the containerizer is at.",
                "Answers with an object of an array 'pending': of each launch, update and end that"
                    + " is not over the 'operation' and, in 'args', the container and how far it"
                    + " is.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    CommonEndpoints.respondJson(
        exchange,
        json ->
            json.object(
                () -> json.array("pending", containerizer.pending(), one -> operation(json, one))));
  }

  private static void operation(JsonOut json, Containerizer.Pending one) {
    json.object(
        () -> {
          json.object(
              "args",
              () -> {
                json.field("containerId", one.containerId().toString());
                json.field("step", one.step());
              });
          json.field(
              "operation",
              switch (one.step()) {
                case "DESTROYING" -> "destroy";
                case "UPDATING" -> "update";
                default -> "launch";
              });
        });
  }
}
