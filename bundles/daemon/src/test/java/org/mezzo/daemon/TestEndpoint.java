package org.mezzo.daemon;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.Endpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.http.HttpExchange;

/** An endpoint that asks nobody for leave. */
public record TestEndpoint(EndpointDeclaration declaration, Endpoint endpoint)
    implements ApiEndpoint {

  public static TestEndpoint of(String path, Access access, Endpoint endpoint) {
    return new TestEndpoint(
        new EndpointDeclaration(
            path, access, Permission.none("for the test"), Help.of("Tests.", "Tests.")),
        endpoint);
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Exception {
    endpoint.handle(exchange, principal);
  }
}
