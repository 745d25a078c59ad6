package org.mezzo.daemon.endpoints;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.FlagValues;
import org.mezzo.http.HttpExchange;

/** {@code /metrics/snapshot}: read and written by readers, within a time if that is wanted. */
final class MetricsEndpoint implements ApiEndpoint {
  /** As ACLs name it. */
  static final String PATH = "/metrics/snapshot";

  /** What is as good as no limit. */
  private static final Duration LONG = Duration.ofDays(365);

  private final MetricsRegistry metrics;
  private final Executor readers;

  MetricsEndpoint(MetricsRegistry metrics, Executor readers) {
    this.metrics = metrics;
    this.readers = readers;
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
                "how long to wait for values, for example 10secs; those that are not read by then"
                    + " are left out")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String timeout = exchange.query().get("timeout");
    BooleanSupplier late = late(timeout == null ? Optional.empty() : Optional.of(within(timeout)));
    Optional<String> function = CommonEndpoints.function(exchange.query());
    readers.execute(
        () ->
            Router.guard(
                exchange,
                it ->
                    it.respond(
                        CommonEndpoints.json(
                            function,
                            json ->
                                json.object(() -> metrics.snapshot(late).forEach(json::field))))));
  }

  /** Whether so long has passed since now; never where nothing is said. */
  static BooleanSupplier late(Optional<Duration> timeout) {
    if (timeout.isEmpty() || timeout.get().compareTo(LONG) > 0) {
      return () -> false;
    }
    long end = System.nanoTime() + timeout.get().toNanos();
    return () -> System.nanoTime() - end >= 0;
  }

  private static Duration within(String timeout) throws Refused {
    try {
      Duration given = FlagValues.duration(timeout);
      if (given.isNegative()) {
        throw new IllegalArgumentException("'" + timeout + "' is negative");
      }
      return given;
    } catch (IllegalArgumentException e) {
      throw new Refused(400, "Invalid timeout '" + timeout + "': " + e.getMessage() + ".\n");
    }
  }
}
