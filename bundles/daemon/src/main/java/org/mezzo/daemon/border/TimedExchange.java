package org.mezzo.daemon.border;

import java.net.InetSocketAddress;
import java.nio.channels.SeekableByteChannel;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.BodyListener;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.ResponseStream;
import org.mezzo.http.StreamBound;

/** An exchange that tells a timer how long it took until its answer began. */
public final class TimedExchange implements HttpExchange {
  private final HttpExchange exchange;
  private final MetricsRegistry.Timer timer;
  private final long begin = System.nanoTime();

  /** Begins to measure. */
  public TimedExchange(HttpExchange exchange, MetricsRegistry.Timer timer) {
    this.exchange = exchange;
    this.timer = timer;
  }

  private void answered() {
    timer.recordNanos(System.nanoTime() - begin);
  }

  @Override
  public void respond(HttpResponse response) {
    answered();
    exchange.respond(response);
  }

  @Override
  public void respondContent(Map<String, String> headers, SeekableByteChannel content, long size) {
    answered();
    exchange.respondContent(headers, content, size);
  }

  @Override
  public ResponseStream stream(int status, Map<String, String> headers, StreamBound bound) {
    answered();
    return exchange.stream(status, headers, bound);
  }

  @Override
  public String method() {
    return exchange.method();
  }

  @Override
  public String path() {
    return exchange.path();
  }

  @Override
  public String pathAndQuery() {
    return exchange.pathAndQuery();
  }

  @Override
  public Map<String, String> query() {
    return exchange.query();
  }

  @Override
  public Map<String, List<String>> headers() {
    return exchange.headers();
  }

  @Override
  public Optional<String> header(String name) {
    return exchange.header(name);
  }

  @Override
  public InetSocketAddress remote() {
    return exchange.remote();
  }

  @Override
  public InetSocketAddress local() {
    return exchange.local();
  }

  @Override
  public Optional<X509Certificate> clientCertificate() {
    return exchange.clientCertificate();
  }

  @Override
  public CompletionStage<byte[]> body(int limit) {
    return exchange.body(limit);
  }

  @Override
  public void receive(BodyListener listener) {
    exchange.receive(listener);
  }

  @Override
  public boolean compresses() {
    return exchange.compresses();
  }
}
