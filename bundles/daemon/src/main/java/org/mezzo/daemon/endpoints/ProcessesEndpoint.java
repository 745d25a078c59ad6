package org.mezzo.daemon.endpoints;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpExchange;

/**
 * {@code /__processes__}: the queues of a daemon and how long each is. What waits in them are steps
 * of this program, which have no names that anybody else could use.
 */
final class ProcessesEndpoint implements ApiEndpoint {
  private static final String QUEUE = "queue_length";
  private static final BooleanSupplier NEVER = () -> false;

  private final MetricsRegistry metrics;
  private final Executor workers;

  /**
   * The endpoint of a daemon.
   *
   * @param workers where the numbers are read
   */
  ProcessesEndpoint(MetricsRegistry metrics, Executor workers) {
    this.metrics = metrics;
    this.workers = workers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/__processes__",
        Access.READONLY,
        Permission.endpoint(CommonEndpoints.METRICS),
        Help.of(
                "The queues of the daemon.",
                "Answers with an array: 'id' and 'queue_length' of each queue, and 'events', which"
                    + " is empty. The numbers are those of /metrics/snapshot.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    workers.execute(() -> Router.guard(exchange, this::answer));
  }

  private void answer(HttpExchange exchange) {
    Map<String, Double> all = metrics.snapshot(NEVER);
    CommonEndpoints.respondJson(
        exchange,
        json ->
            json.array(
                () ->
                    all.forEach(
                        (name, value) -> {
                          if (name.endsWith(QUEUE)) {
                            queue(json, name, Math.round(value));
                          }
                        })));
  }

  private static void queue(JsonOut json, String name, long length) {
    json.object(
        () -> {
          json.array("events", () -> {});
          json.field("id", name.substring(0, name.length() - QUEUE.length() - 1));
          json.integer("queue_length", length);
        });
  }
}
