package org.mezzo.daemon.endpoints;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.FlagValues;
import org.mezzo.http.HttpExchange;

/** {@code /metrics/snapshot}. */
final class MetricsEndpoint implements ApiEndpoint {
  /** As ACLs name it. */
  static final String PATH = "/metrics/snapshot";

  private final MetricsRegistry metrics;

  MetricsEndpoint(MetricsRegistry metrics) {
    this.metrics = metrics;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "All metrics of the daemon.",
                "Answers with one flat object of names and numbers, as they are at this moment.")
            .with(
                "timeout",
                "how long to wait for values, for example 10secs; values are there at once, so that"
                    + " it only has to be a duration")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String timeout = exchange.query().get("timeout");
    if (timeout != null) {
      check(timeout);
    }
    CommonEndpoints.respondJson(
        exchange, json -> json.object(() -> metrics.snapshot().forEach(json::field)));
  }

  private static void check(String timeout) throws Refused {
    try {
      Duration given = FlagValues.duration(timeout);
      if (given.isNegative()) {
        throw new IllegalArgumentException("'" + timeout + "' is negative");
      }
    } catch (IllegalArgumentException e) {
      throw new Refused(400, "Invalid timeout '" + timeout + "': " + e.getMessage() + ".\n");
    }
  }
}
