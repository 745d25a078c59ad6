package org.mezzo.link.client;

import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.eclipse.jetty.http.Http10FieldPreEncoder;
import org.eclipse.jetty.http.Http11FieldPreEncoder;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.hpack.HpackFieldPreEncoder;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.mezzo.link.LinkClient;
import org.mezzo.link.Links;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.wire.LinkVersion;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's side on Jetty's HTTP/2 client. Every link has a TCP connection of its own, so that a
 * slow one holds no other back; the threads are shared. Nothing is started before the first link.
 */
@Component(service = LinkClient.class)
public final class JettyLinkClient implements Links.Client {
  private static final Logger LOG = LoggerFactory.getLogger(JettyLinkClient.class);
  private static final int MAX_THREADS = 16;

  /** Bytes the master may send before they are read, per link. */
  private static final int RECEIVE_WINDOW = 8 << 20;

  private static final long CONNECT_TIMEOUT_MILLIS = 5_000;
  private static final long ALIVE_SECONDS = 5;

  /** Time between two ticks that tells of a process that was held up. */
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(3 * ALIVE_SECONDS);

  private final Set<JettyLinkConnection> connections = ConcurrentHashMap.newKeySet();
  private HTTP2Client client;
  private ScheduledExecutorService timer;
  private boolean closed;

  @Override
  public Connection connect(
      InetSocketAddress master,
      Optional<SSLContext> tls,
      Map<String, String> shown,
      Hello hello,
      Listener listener) {
    Hello.Builder first = hello.toBuilder();
    if (!first.hasMajor()) {
      first.setMajor(LinkVersion.MAJOR);
    }
    if (!first.hasMinor()) {
      first.setMinor(LinkVersion.MINOR);
    }
    HTTP2Client http = started();
    JettyLinkConnection connection =
        new JettyLinkConnection(
            master,
            tls.isPresent(),
            shown,
            first.build(),
            listener,
            connections::remove,
            http.getExecutor());
    connections.add(connection);
    // Names are resolved and TLS is prepared here, which may take a moment.
    http.getExecutor().execute(() -> open(http, master, tls, connection));
    return connection;
  }

  private static void open(
      HTTP2Client http,
      InetSocketAddress master,
      Optional<SSLContext> tls,
      JettyLinkConnection connection) {
    try {
      InetSocketAddress address =
          master.isUnresolved()
              ? new InetSocketAddress(master.getHostString(), master.getPort())
              : master;
      if (tls.isPresent()) {
        TlsFactory factory = new TlsFactory(tls.get());
        factory.start();
        http.connect(factory, address, connection, connection);
      } else {
        http.connect(address, connection, connection);
      }
    } catch (Exception e) {
      connection.failed(e);
    }
  }

  private synchronized HTTP2Client started() {
    if (closed) {
      throw new IllegalStateException("The link client is closed");
    }
    if (client == null) {
      encoders();
      QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 2);
      threads.setName("link-client");
      threads.setDaemon(true);
      ClientConnector connector = new ClientConnector();
      connector.setExecutor(threads);
      connector.setSelectors(1);
      HTTP2Client http = new HTTP2Client(connector);
      http.setUseALPN(false);
      http.setConnectTimeout(CONNECT_TIMEOUT_MILLIS);
      // Silence is judged by the links themselves.
      http.setIdleTimeout(0);
      http.setStreamIdleTimeout(0);
      http.setInitialSessionRecvWindow(RECEIVE_WINDOW);
      http.setInitialStreamRecvWindow(RECEIVE_WINDOW);
      try {
        http.start();
      } catch (Exception e) {
        throw new IllegalStateException("The link client cannot start", e);
      }
      client = http;
      timer =
          Executors.newSingleThreadScheduledExecutor(
              task -> {
                Thread thread = new Thread(task, "link-client-timer");
                thread.setDaemon(true);
                return thread;
              });
      timer.scheduleWithFixedDelay(new Ticks(), ALIVE_SECONDS, ALIVE_SECONDS, TimeUnit.SECONDS);
    }
    return client;
  }

  /**
   * Jetty looks once for the encoders of prepared fields, by the thread's class loader; in a
   * framework only the loader of a bundle that names them finds them, and without that of HPACK no
   * HTTP/2 request can be read.
   */
  private static void encoders() {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(JettyLinkClient.class.getClassLoader());
    try {
      for (Class<?> type :
          new Class<?>[] {
            Http10FieldPreEncoder.class, Http11FieldPreEncoder.class, HpackFieldPreEncoder.class
          }) {
        Class.forName(type.getName(), true, type.getClassLoader());
      }
      Class.forName(
          PreEncodedHttpField.class.getName(), true, PreEncodedHttpField.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Deactivate
  @Override
  public void close() {
    HTTP2Client last;
    synchronized (this) {
      closed = true;
      last = client;
      client = null;
      if (timer != null) {
        timer.shutdownNow();
      }
    }
    connections.forEach(connection -> connection.end("the link client was closed"));
    if (last != null) {
      try {
        last.stop();
      } catch (Exception e) {
        throw new IllegalStateException("The link client did not stop", e);
      }
    }
  }

  /** Gives every connection its ticks, whatever one of them does. */
  private final class Ticks implements Runnable {
    private long before = System.nanoTime();

    @Override
    public void run() {
      long now = System.nanoTime();
      boolean late = now - before > LATE_NANOS;
      before = now;
      for (JettyLinkConnection connection : connections) {
        try {
          connection.tick(late);
        } catch (RuntimeException e) {
          LOG.error("A link failed and is ended", e);
          connection.end("a fault of the agent: " + e);
        }
      }
    }
  }

  /** Asks for HTTP/2 by itself, because Jetty's way looks for providers by class loader. */
  private static final class TlsFactory extends SslContextFactory.Client {
    TlsFactory(SSLContext context) {
      setSslContext(context);
      setEndpointIdentificationAlgorithm("HTTPS");
    }

    @Override
    public void customize(SSLEngine engine) {
      super.customize(engine);
      SSLParameters parameters = engine.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2"});
      engine.setSSLParameters(parameters);
    }
  }
}
