package org.mezzo.daemon.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.metrics.SystemStats;
import org.mezzo.http.HttpExchange;

/** {@code /system/stats.json}. */
final class SystemStatsEndpoint implements ApiEndpoint {
  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/system/stats.json",
        Access.NONE,
        Permission.none("it tells of the host's load, and nothing of the cluster"),
        Help.of(
                "Load, processors and memory of the host.",
                "Answers with an object of the load averages of 1, 5 and 15 minutes, the number of"
                    + " processors, and the bytes of memory there are and that are free.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    CommonEndpoints.respondJson(exchange, SystemStatsEndpoint::stats);
  }

  private static void stats(JsonOut json) {
    double[] loads = SystemStats.loads();
    json.object(
        () -> {
          load(json, "avg_load_15min", loads[2]);
          load(json, "avg_load_1min", loads[0]);
          load(json, "avg_load_5min", loads[1]);
          json.integer("cpus_total", SystemStats.processors());
          SystemStats.memory()
              .forEach(
                  (name, bytes) ->
                      json.integer(
                          name.equals("MemFree") ? "mem_free_bytes" : "mem_total_bytes", bytes));
        });
  }

  private static void load(JsonOut json, String name, double load) {
    if (!Double.isNaN(load)) {
      json.field(name, load);
    }
  }
}
