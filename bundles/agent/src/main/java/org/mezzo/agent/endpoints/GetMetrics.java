package org.mezzo.agent.endpoints;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.protocol.v1.Metric;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_METRICS}. */
final class GetMetrics implements ApiCall<Call> {
  private final MetricsRegistry metrics;

  GetMetrics(MetricsRegistry metrics) {
    this.metrics = metrics;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.GET_METRICS,
            Permission.endpoint(CommonEndpoints.METRICS),
            "All metrics, as they are at this moment.")
        .carrying("get_metrics");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    Call.GetMetrics asked = call.getGetMetrics();
    Supplier<List<Metric>> values =
        CommonEndpoints.metricMessages(
            metrics,
            asked.hasTimeout()
                ? OptionalLong.of(asked.getTimeout().getNanoseconds())
                : OptionalLong.empty());
    exchange.respondFrom(
        () ->
            Response.newBuilder()
                .setType(Response.Type.GET_METRICS)
                .setGetMetrics(Response.GetMetrics.newBuilder().addAllMetrics(values.get()))
                .build());
  }
}
