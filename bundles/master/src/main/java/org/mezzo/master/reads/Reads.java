package org.mezzo.master.reads;

import java.time.Instant;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.Flags;
import org.mezzo.master.state.ClusterView;

/** Puts the reading endpoints of a master together. */
public final class Reads {
  private Reads() {}

  /**
   * What the endpoints are made from.
   *
   * @param started when the daemon was started
   */
  public record Sources(
      ClusterView cluster,
      Flags flags,
      MetricsRegistry metrics,
      VirtualFiles files,
      Authorization authorization,
      Workers workers,
      EventLoop loop,
      Instant started) {}

  /**
   * Adds {@code /api/v1}, {@code /state}, {@code /state-summary}, {@code /slaves}, {@code
   * /frameworks}, {@code /roles}, {@code /tasks}, {@code /weights} and {@code /redirect}.
   */
  public static void install(Router router, Sources sources) {
    LeaderGate gate = new LeaderGate(sources.cluster());
    Metrics metrics = sources.metrics();
    OperatorStreams streams =
        new OperatorStreams(
            sources.cluster(),
            sources.loop(),
            sources.workers(),
            (int) sources.flags().integer("max_operator_event_stream_subscribers"),
            metrics.counter("master/event_streams_cut"));
    metrics.gauge("master/operator_event_stream_subscribers", streams::size);
    router.route("/api/v1", Access.READWRITE, new OperatorApi(sources, streams).endpoint(gate));
    new StateEndpoints(sources, gate).install(router);
    router.route(
        "/redirect",
        Access.NONE,
        (exchange, principal) -> {
          boolean deeper = !exchange.path().replaceAll("/+$", "").endsWith("/redirect");
          exchange.respond(deeper ? Router.notFound() : gate.leader());
        });
  }
}
