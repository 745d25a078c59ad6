package org.mezzo.daemon.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/** {@code /health}. */
final class HealthEndpoint implements ApiEndpoint {
  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/health",
        Access.NONE,
        Permission.none("whoever watches over the daemon has no credentials"),
        Help.of("Whether the daemon lives.", "Answers 200 with an empty body as long as it does."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    exchange.respond(HttpResponse.status(200));
  }
}
