package org.mezzo.daemon.endpoints;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.daemon.metrics.PrometheusText;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/** {@code /metrics}: what {@code /metrics/snapshot} tells, for Prometheus and its like. */
final class PrometheusEndpoint implements ApiEndpoint {
  private final MetricsRegistry metrics;
  private final Executor readers;

  PrometheusEndpoint(MetricsRegistry metrics, Executor readers) {
    this.metrics = metrics;
    this.readers = readers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/metrics",
        Access.READONLY,
        Permission.endpoint(MetricsEndpoint.PATH),
        Help.of(
            "All metrics of the daemon, as text for Prometheus.",
            "Answers with the metrics of /metrics/snapshot in the text format of Prometheus,"
                + " version 0.0.4: their names with '_' for what such names may not have, timers as"
                + " summaries in milliseconds, and frameworks as labels."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    readers.execute(
        () ->
            Router.guard(
                exchange,
                it ->
                    it.respond(
                        new HttpResponse(
                            200,
                            Map.of("Content-Type", PrometheusText.CONTENT_TYPE),
                            PrometheusText.of(metrics).getBytes(StandardCharsets.UTF_8)))));
  }
}
