package org.mezzo.master.reads;

import java.util.Optional;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.state.ClusterView;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * Sends those away who ask a master that does not lead, or not yet (rule 12). Safe for any thread.
 */
public final class LeaderGate {
  private final ClusterView cluster;

  public LeaderGate(ClusterView cluster) {
    this.cluster = cluster;
  }

  /** The answer for somebody who asks too early or in the wrong place; empty to go on. */
  public Optional<HttpResponse> check(HttpExchange exchange) {
    if (!cluster.leading()) {
      return Optional.of(
          cluster
              .leader()
              .map(leader -> redirect(leader, exchange.pathAndQuery()))
              .orElseGet(() -> HttpResponse.text(503, "No leader elected")));
    }
    if (cluster.state().isEmpty()) {
      return Optional.of(HttpResponse.text(503, "Master has not finished recovery"));
    }
    return Optional.empty();
  }

  /** Where the leader is, for {@code /redirect}; a deeper path is unknown. */
  public HttpResponse leader() {
    return cluster
        .leader()
        .map(leader -> redirect(leader, ""))
        .orElseGet(() -> HttpResponse.text(503, "No leader elected"));
  }

  private static HttpResponse redirect(MasterInfo leader, String pathAndQuery) {
    String host = leader.hasHostname() ? leader.getHostname() : leader.getAddress().getHostname();
    String name = host.isEmpty() ? leader.getAddress().getIp() : host;
    return HttpResponse.status(307)
        .with("Location", "//" + name + ":" + leader.getPort() + pathAndQuery);
  }
}
