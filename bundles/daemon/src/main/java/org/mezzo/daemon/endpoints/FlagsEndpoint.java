package org.mezzo.daemon.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpExchange;

/** {@code /flags}. */
final class FlagsEndpoint implements ApiEndpoint {
  private final Flags flags;

  FlagsEndpoint(Flags flags) {
    this.flags = flags;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/flags",
        Access.READONLY,
        Permission.of(Action.VIEW_FLAGS),
        Help.of(
                "The daemon's flags.",
                "Answers with an object of all flags that have a value; passwords are masked.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    CommonEndpoints.respondJson(
        exchange,
        json -> json.object(() -> json.object("flags", () -> flags.shown().forEach(json::field))));
  }
}
