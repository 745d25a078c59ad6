package org.mezzo.master.agents;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.http.HttpExchange;
import org.mezzo.link.LinkServer;

/** {@code /mezzo/link}: where agents connect. Mezzo's own. */
public final class LinkEndpoint implements ApiEndpoint {
  private final LinkServer.Entrance links;

  /** An endpoint that hands every connection to the links. */
  public LinkEndpoint(LinkServer.Entrance links) {
    this.links = links;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        LinkServer.PATH,
        Access.AGENT,
        Permission.none("each registration asks for its own"),
        Help.of(
            "Where agents connect.",
            "Takes the HTTP/2 streams of agents of Mezzo; it is of no use to anybody else."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Exception {
    links.handle(exchange, principal.flatMap(Principal::value));
  }
}
