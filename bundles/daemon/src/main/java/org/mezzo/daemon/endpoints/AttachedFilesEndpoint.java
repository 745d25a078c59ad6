package org.mezzo.daemon.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.http.HttpExchange;

/** {@code /files/debug}. */
final class AttachedFilesEndpoint implements ApiEndpoint {
  private static final String PATH = "/files/debug";

  private final VirtualFiles files;

  AttachedFilesEndpoint(VirtualFiles files) {
    this.files = files;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "Which virtual paths there are.",
                "Answers with an object: each virtual path, and the path on disk that it stands"
                    + " for.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    CommonEndpoints.respondJson(
        exchange,
        json ->
            json.object(
                () ->
                    files
                        .attached()
                        .forEach((virtual, real) -> json.field(virtual, real.toString()))));
  }
}
