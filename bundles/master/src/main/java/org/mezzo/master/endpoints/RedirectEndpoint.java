package org.mezzo.master.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Router;
import org.mezzo.http.HttpExchange;
import org.mezzo.master.reads.LeaderGate;

/** {@code /redirect}: where the leader is; a deeper path is unknown. */
final class RedirectEndpoint implements ApiEndpoint {
  private static final String PATH = "/redirect";

  private final LeaderGate gate;

  RedirectEndpoint(LeaderGate gate) {
    this.gate = gate;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.NONE,
        Permission.none("whoever looks for the leader has to find it before logging in"),
        Help.of(
            "Redirects to the leading master.",
            "Answers 307 with the place of the leader, and 503 while none is known."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    boolean deeper = !exchange.path().replaceAll("/+$", "").endsWith(PATH);
    exchange.respond(deeper ? Router.notFound() : gate.leader());
  }
}
