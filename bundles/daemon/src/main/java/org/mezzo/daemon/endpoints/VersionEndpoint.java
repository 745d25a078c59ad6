package org.mezzo.daemon.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.http.HttpExchange;

/** {@code /version}. */
final class VersionEndpoint implements ApiEndpoint {
  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/version",
        Access.NONE,
        Permission.none("clients ask for the version before they know how to authenticate"),
        Help.of(
                "The versions of Mezzo and of the API.",
                "Answers with an object: the version of Mesos whose API is served, the version of"
                    + " Mezzo, and when and by whom it was built.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    CommonEndpoints.respondJson(
        exchange,
        json ->
            json.object(
                () -> {
                  json.field("build_date", Versions.BUILD_DATE);
                  json.field("build_time", Versions.BUILD_TIME);
                  json.field("build_user", Versions.BUILD_USER);
                  json.field("mezzo_version", Versions.MEZZO);
                  json.field("version", Versions.MESOS);
                }));
  }
}
