package org.mezzo.link.server;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.ResponseStream;
import org.mezzo.link.LinkServer;
import org.mezzo.link.Links;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The master's side: one request per agent whose body never ends, answered by a body that never
 * ends. All sessions share one thread that encodes what was queued and hands it to the connector,
 * and one that watches for agents that have fallen silent.
 */
@Component(service = LinkServer.class)
public final class HttpLinkServer implements Links.Server {
  private static final Logger LOG = LoggerFactory.getLogger(HttpLinkServer.class);

  /** Events that wait for one agent; a reconciliation of all its tasks fits. */
  private static final long MAX_QUEUED_BYTES = 64L << 20;

  /** An agent says every 10 s that it lives. */
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(45);

  private static final int SWEEP_SECONDS = 5;

  /** Time between two sweeps that tells of a process that was held up. */
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(3 * SWEEP_SECONDS);

  private final Set<HttpLinkSession> sessions = ConcurrentHashMap.newKeySet();
  private final LinkedBlockingQueue<HttpLinkSession> unsent = new LinkedBlockingQueue<>();
  private final Thread writer;
  private final ScheduledExecutorService watch;

  /** When the last sweep began. For the watch only. */
  private long swept = System.nanoTime();

  public HttpLinkServer() {
    writer = new Thread(this::write, "link-writer");
    writer.setDaemon(true);
    writer.start();
    watch =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "link-watch");
              thread.setDaemon(true);
              return thread;
            });
    watch.scheduleWithFixedDelay(this::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public Entrance entrance(Acceptor acceptor) {
    return (exchange, principal) -> handle(exchange, principal, acceptor);
  }

  private void handle(HttpExchange exchange, Optional<String> authenticated, Acceptor acceptor) {
    if (!exchange.path().endsWith(PATH + "/connect")) {
      exchange.respond(HttpResponse.text(404, "404 Not Found."));
      return;
    }
    if (!exchange.method().equals("POST")) {
      exchange.respond(
          HttpResponse.text(
                  405,
                  "405 Method Not Allowed. Expecting one of { 'POST' }, but received '"
                      + exchange.method()
                      + "'.")
              .with("Allow", "POST"));
      return;
    }
    Optional<String> principal =
        authenticated.or(
            () ->
                exchange
                    .clientCertificate()
                    .map(certificate -> certificate.getSubjectX500Principal().getName()));
    HttpLinkSession session = new HttpLinkSession(this, exchange.remote(), acceptor, principal);
    sessions.add(session);
    // The body is asked for first: a streamed answer drops one that nobody has asked for.
    exchange.receive(session);
    ResponseStream stream =
        exchange.stream(200, Map.of("Content-Type", "application/x-mezzo-link"), MAX_QUEUED_BYTES);
    session.begin(stream);
  }

  @Override
  public int waiting() {
    int waiting = 0;
    for (HttpLinkSession session : sessions) {
      waiting += session.waiting();
    }
    return waiting;
  }

  void unsent(HttpLinkSession session) {
    unsent.add(session);
  }

  void closed(HttpLinkSession session) {
    sessions.remove(session);
  }

  private void write() {
    EventFrames events = new EventFrames();
    try {
      while (true) {
        HttpLinkSession session = unsent.take();
        try {
          session.flush(events);
        } catch (Throwable t) {
          session.fault("writing", t);
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("Link writer ends");
    }
  }

  private void sweep() {
    long now = System.nanoTime();
    boolean late = now - swept > LATE_NANOS;
    swept = now;
    if (late) {
      // The process was held up: what has arrived meanwhile must be read before silence is judged.
      return;
    }
    for (HttpLinkSession session : sessions) {
      if (now - session.heard() > SILENCE_NANOS) {
        try {
          session.cut(
              "nothing was heard for " + TimeUnit.NANOSECONDS.toSeconds(SILENCE_NANOS) + " s");
        } catch (RuntimeException e) {
          session.fault("ending", e);
        }
      }
    }
  }

  @Deactivate
  @Override
  public void close() {
    for (HttpLinkSession session : sessions) {
      session.cut("the master's end of the link was closed");
    }
    watch.shutdownNow();
    writer.interrupt();
  }
}
