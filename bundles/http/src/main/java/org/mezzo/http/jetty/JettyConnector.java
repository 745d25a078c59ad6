package org.mezzo.http.jetty;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.http2.WindowRateControl;
import org.eclipse.jetty.http2.server.AbstractHTTP2ServerConnectionFactory;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One Jetty server with one connector. */
public final class JettyConnector implements HttpConnector {
  private static final Logger LOG = LoggerFactory.getLogger(JettyConnector.class);

  /** Of request line and headers together; what libprocess takes. */
  static final int MAX_HEADER_BYTES = 80 * 1024;

  private static final int MAX_CONCURRENT_STREAMS = 1024;
  private static final int MAX_CONTROL_FRAMES_PER_SECOND = 1024;
  private static final int LISTEN_BACKLOG = 1024;

  private final ConnectorOptions options;
  private final HttpHandler handler;
  private final Server server;
  private final ServerConnector connector;
  private final AtomicInteger shortExchanges = new AtomicInteger();
  private final Set<JettyStream> streams = ConcurrentHashMap.newKeySet();

  private JettyConnector(ConnectorOptions options, HttpHandler handler) {
    this.options = options;
    this.handler = handler;
    this.server = new Server(threads(options));
    server.setErrorHandler(new PlainErrors());
    server.setHandler(new Border());
    // No acceptor thread, one selector: dispatch is what costs, and that is on the pool's threads.
    this.connector = new ServerConnector(server, null, null, null, 0, 1, protocols(options));
    connector.setHost(options.address().getHostAddress());
    connector.setPort(options.port());
    connector.setIdleTimeout(options.idleTimeout().toMillis());
    connector.setAcceptQueueSize(LISTEN_BACKLOG);
    connector.setReuseAddress(true);
    connector.setAcceptedTcpNoDelay(true);
    server.addConnector(connector);
  }

  /** How long a client may be silent. */
  Duration idleTimeout() {
    return options.idleTimeout();
  }

  /**
   * Binds and serves.
   *
   * @throws IOException when the address cannot be bound
   */
  public static HttpConnector open(ConnectorOptions options, HttpHandler handler)
      throws IOException {
    Providers.load();
    JettyConnector opened = new JettyConnector(options, handler);
    try {
      opened.connector.open();
      opened.server.start();
      return opened;
    } catch (Exception e) {
      opened.stop();
      throw new IOException(
          "Cannot listen on "
              + options.address().getHostAddress()
              + ":"
              + options.port()
              + " ("
              + e.getMessage()
              + "): choose another --port or --ip, or stop what uses it",
          e);
    }
  }

  private static QueuedThreadPool threads(ConnectorOptions options) {
    int most = Math.max(4, options.maxThreads());
    QueuedThreadPool pool =
        new QueuedThreadPool(most, Math.min(most, 4), (int) TimeUnit.SECONDS.toMillis(60));
    pool.setName("http-" + options.name());
    pool.setDaemon(true);
    return pool;
  }

  private static ConnectionFactory[] protocols(ConnectorOptions options) {
    HttpConfiguration configuration = new HttpConfiguration();
    configuration.setSendServerVersion(false);
    configuration.setSendXPoweredBy(false);
    configuration.setSendDateHeader(true);
    configuration.setRequestHeaderSize(MAX_HEADER_BYTES);
    // Otherwise Application/JSON is handed on as application/json, which rule 4 tells apart.
    configuration.setHeaderCacheCaseSensitive(true);
    configuration.setHttpCompliance(
        HttpCompliance.RFC7230.with(
            "MEZZO",
            HttpCompliance.Violation.LF_HEADER_TERMINATION,
            HttpCompliance.Violation.MISMATCHED_AUTHORITY,
            HttpCompliance.Violation.UNSAFE_HOST_HEADER));
    // An encoded slash stays encoded in the path and so meets no route; better a 404 than a 400.
    configuration.setUriCompliance(
        UriCompliance.DEFAULT.with(
            "MEZZO",
            UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
            UriCompliance.Violation.AMBIGUOUS_PATH_ENCODING,
            UriCompliance.Violation.AMBIGUOUS_EMPTY_SEGMENT,
            UriCompliance.Violation.SUSPICIOUS_PATH_CHARACTERS));
    HttpConnectionFactory http1 = new HttpConnectionFactory(configuration);
    // Jetty answers headers beyond its limit with the end of the whole connection in HTTP/2, so
    // that it is let read some more, and the limit looked at for each request.
    HttpConfiguration roomier = new HttpConfiguration(configuration);
    roomier.setRequestHeaderSize(4 * MAX_HEADER_BYTES);
    if (options.tls().isEmpty()) {
      return new ConnectionFactory[] {http1, tuned(Departures.cleartext(roomier))};
    }
    SecureRequestCustomizer secure = new SecureRequestCustomizer();
    secure.setSniHostCheck(false);
    configuration.addCustomizer(secure);
    roomier.addCustomizer(secure);
    SslContextFactory.Server tls = new SslContextFactory.Server();
    tls.setSslContext(options.tls().get());
    tls.setWantClientAuth(true);
    tls.setSniRequired(false);
    var alpn = Providers.alpn(HttpVersion.HTTP_1_1.asString());
    return new ConnectionFactory[] {
      new SslConnectionFactory(tls, alpn.getProtocol()), alpn, tuned(Departures.tls(roomier)), http1
    };
  }

  private static ConnectionFactory tuned(AbstractHTTP2ServerConnectionFactory http2) {
    http2.setMaxConcurrentStreams(MAX_CONCURRENT_STREAMS);
    http2.setRateControlFactory(new WindowRateControl.Factory(MAX_CONTROL_FRAMES_PER_SECOND));
    return http2;
  }

  /** Makes exchanges of requests. */
  private final class Border extends Handler.Abstract {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
      if (request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_2
          && headerBytes(request) > MAX_HEADER_BYTES) {
        Response.writeError(
            request, response, callback, HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431);
        return true;
      }
      shortExchanges.incrementAndGet();
      JettyExchange exchange = new JettyExchange(JettyConnector.this, request, response, callback);
      try {
        handler.handle(exchange);
      } catch (Exception | LinkageError e) {
        LOG.error("{} {} failed; answered with 500", request.getMethod(), request.getHttpURI(), e);
        exchange.fail();
      }
      return true;
    }
  }

  /** As HTTP/2 counts a header list, without the allowance for each field. */
  private static int headerBytes(Request request) {
    int bytes = request.getHttpURI().asString().length();
    for (HttpField field : request.getHeaders()) {
      bytes +=
          field.getName().length() + (field.getValue() == null ? 0 : field.getValue().length());
    }
    return bytes;
  }

  void exchangeEnded() {
    shortExchanges.decrementAndGet();
  }

  void streamBegan(JettyStream stream) {
    shortExchanges.decrementAndGet();
    streams.add(stream);
  }

  void streamEnded(JettyStream stream) {
    streams.remove(stream);
  }

  @Override
  public InetSocketAddress address() {
    return new InetSocketAddress(options.address(), connector.getLocalPort());
  }

  @Override
  public void close(Duration grace) {
    connector.close();
    long deadline = System.nanoTime() + grace.toNanos();
    while (shortExchanges.get() > 0 && System.nanoTime() - deadline < 0) {
      try {
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    streams.forEach(JettyStream::abort);
    stop();
  }

  private void stop() {
    try {
      server.setStopTimeout(0);
      server.stop();
    } catch (Exception e) {
      LOG.warn("The connector {} did not stop in order; its threads may linger", options.name(), e);
    } finally {
      connector.close();
    }
  }
}
