package org.mezzo.fetcher.web;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.DefaultSchemePortResolver;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.routing.SystemDefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.config.CharCodingConfig;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.net.URIAuthority;
import org.apache.hc.core5.util.Timeout;
import org.mezzo.api.fetcher.Fetcher.Description;
import org.mezzo.api.fetcher.Uris;

/**
 * Reads from web servers. Safe for any thread. Every call blocks its own, which an interrupt frees
 * at once; the exchange is made by another thread, and its connection closed when nobody waits for
 * it any more.
 */
final class WebClient implements AutoCloseable {
  private static final int MOST_REDIRECTS = 20;
  private static final int OK = 200;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final int PIECE = 65_536;

  /** The longest line, and the most lines, of an answer's head. */
  private static final int LONGEST_LINE = 80 * 1024;

  private static final int MOST_HEADERS = 1000;

  private final ExecutorService threads;
  private final PoolingHttpClientConnectionManager connections;
  private final CloseableHttpClient client;

  WebClient(String daemon) {
    this(daemon, SystemDefaultDnsResolver.INSTANCE);
  }

  /**
   * @param names looks up hosts
   */
  WebClient(String daemon, DnsResolver names) {
    AtomicInteger count = new AtomicInteger();
    threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, daemon + "-fetch-" + count.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    connections =
        PoolingHttpClientConnectionManagerBuilder.create()
            .setConnectionFactory(
                ManagedHttpClientConnectionFactory.builder()
                    .http1Config(
                        Http1Config.custom()
                            .setMaxLineLength(LONGEST_LINE)
                            .setMaxHeaderCount(MOST_HEADERS)
                            .build())
                    // Bytes of headers stay what they are.
                    .charCodingConfig(
                        CharCodingConfig.custom().setCharset(StandardCharsets.ISO_8859_1).build())
                    .build())
            .setDnsResolver(names)
            // How long is too long is judged by whoever waits, from the first look-up of a name to
            // the last byte.
            .setDefaultConnectionConfig(
                ConnectionConfig.custom()
                    .setConnectTimeout(Timeout.DISABLED)
                    .setSocketTimeout(Timeout.DISABLED)
                    .build())
            // The agent bounds how many fetches run at a time.
            .setMaxConnTotal(Integer.MAX_VALUE)
            .setMaxConnPerRoute(Integer.MAX_VALUE)
            .build();
    client =
        HttpClients.custom()
            .setConnectionManager(connections)
            .setRoutePlanner(
                new SystemDefaultRoutePlanner(
                    DefaultSchemePortResolver.INSTANCE, ProxySelector.getDefault()))
            .setUserAgent("mezzo-fetcher")
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setProtocolUpgradeEnabled(false)
                    .setConnectionRequestTimeout(Timeout.DISABLED)
                    .build())
            // Followed here, so that a password stays with the server it was given for.
            .disableRedirectHandling()
            .disableAutomaticRetries()
            .disableContentCompression()
            .disableCookieManagement()
            .disableAuthCaching()
            .build();
  }

  /** Writes the body of the final answer, which must be a 200. */
  void get(URI uri, FileChannel out, Duration stall, Consumer<String> progress)
      throws IOException, InterruptedException {
    follow(
        "GET",
        uri,
        stall,
        progress,
        (from, response, transfer) -> copy(from, response, transfer, out));
  }

  /** What the server tells of it. */
  Description describe(URI uri, Duration limit) throws IOException, InterruptedException {
    return follow(
        "HEAD",
        uri,
        limit,
        line -> {},
        (from, response, transfer) ->
            new Description(length(response), header(response, "ETag", "Last-Modified")));
  }

  private static Optional<Long> length(ClassicHttpResponse response) {
    try {
      return header(response, "Content-Length").map(Long::parseLong);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** The first of these headers that there is. */
  private static Optional<String> header(ClassicHttpResponse response, String... names) {
    for (String name : names) {
      Header header = response.getFirstHeader(name);
      if (header != null && header.getValue() != null) {
        return Optional.of(header.getValue().strip());
      }
    }
    return Optional.empty();
  }

  private static Void copy(
      URI from, ClassicHttpResponse response, Transfer transfer, FileChannel out)
      throws IOException {
    HttpEntity entity = response.getEntity();
    if (entity == null) {
      return null;
    }
    try (InputStream in = entity.getContent()) {
      byte[] piece = new byte[PIECE];
      int length;
      while ((length = in.read(piece)) >= 0) {
        transfer.received(length);
        ByteBuffer bytes = ByteBuffer.wrap(piece, 0, length);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
    } catch (IOException e) {
      throw new IOException(
          "Reading "
              + WebFetcher.shown(from)
              + " failed after "
              + transfer.bytes()
              + " bytes: "
              + e.getMessage(),
          e);
    }
    return null;
  }

  /** What is done with the last answer of a chain of redirects. */
  @FunctionalInterface
  private interface Use<R> {
    R of(URI from, ClassicHttpResponse response, Transfer transfer) throws IOException;
  }

  /** What one exchange came to: either the next URI, or a result. */
  private record Step<R>(URI next, R result) {}

  private <R> R follow(
      String method, URI start, Duration stall, Consumer<String> progress, Use<R> use)
      throws IOException, InterruptedException {
    URI uri = start;
    for (int redirects = 0; ; redirects++) {
      Step<R> step = exchange(method, start, uri, stall, use);
      if (step.next() == null) {
        return step.result();
      }
      if (redirects == MOST_REDIRECTS) {
        throw new IOException(
            WebFetcher.shown(start)
                + " was redirected more than "
                + MOST_REDIRECTS
                + " times, now to "
                + WebFetcher.shown(uri)
                + "; the server probably redirects in a circle");
      }
      uri = step.next();
      progress.accept("Redirected to " + WebFetcher.shown(uri));
    }
  }

  private <R> Step<R> exchange(String method, URI start, URI uri, Duration stall, Use<R> use)
      throws IOException, InterruptedException {
    HttpUriRequestBase request = request(method, start, uri);
    Transfer transfer = new Transfer();
    Callable<Step<R>> exchange =
        () -> {
          try (ClassicHttpResponse response = client.executeOpen(target(uri), request, null)) {
            transfer.answered();
            if (REDIRECTS.contains(response.getCode())) {
              return new Step<>(next(start, uri, response), null);
            }
            if (response.getCode() != OK) {
              throw new IOException(refusal(start, uri, response.getCode()));
            }
            return new Step<>(null, use.of(uri, response, transfer));
          }
        };
    Future<Step<R>> running = threads.submit(exchange);
    try {
      while (true) {
        long left = stall.toNanos() - transfer.silentNanos();
        if (left <= 0) {
          throw new IOException(transfer.stalled(uri, stall));
        }
        try {
          return running.get(left, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          continue;
        }
      }
    } catch (ExecutionException e) {
      throw failure(uri, transfer, e.getCause());
    } finally {
      if (!running.isDone()) {
        request.cancel();
      }
    }
  }

  private static HttpUriRequestBase request(String method, URI start, URI uri) {
    HttpUriRequestBase request = new HttpUriRequestBase(method, URI.create("/"));
    HttpHost target = target(uri);
    request.setScheme(target.getSchemeName());
    request.setAuthority(new URIAuthority(target.getHostName(), target.getPort()));
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    request.setPath(uri.getRawPath() + query);
    Optional<String> user = Uris.userInfo(start);
    if (user.isPresent() && sameServer(start, uri)) {
      String decoded = URLDecoder.decode(user.get().replace("+", "%2B"), StandardCharsets.UTF_8);
      request.setHeader(
          "Authorization",
          "Basic " + Base64.getEncoder().encodeToString(decoded.getBytes(StandardCharsets.UTF_8)));
    }
    return request;
  }

  private static HttpHost target(URI uri) {
    String host = Uris.host(uri).orElse("");
    return new HttpHost(
        uri.getScheme().toLowerCase(Locale.ROOT),
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
        Uris.port(uri));
  }

  private static IOException failure(URI uri, Transfer transfer, Throwable cause) {
    if (cause instanceof UnknownHostException) {
      return new IOException(
          "There is no server for " + WebFetcher.shown(uri) + ": its name is not known", cause);
    }
    if (cause instanceof ConnectException) {
      return new IOException(
          "Cannot connect for "
              + WebFetcher.shown(uri)
              + ": is the name right and the server running?",
          cause);
    }
    if (cause instanceof IOException && transfer.hasAnswered()) {
      return (IOException) cause;
    }
    return new IOException(
        "Reading " + WebFetcher.shown(uri) + " failed: " + cause.getMessage(), cause);
  }

  private static URI next(URI start, URI from, ClassicHttpResponse response) throws IOException {
    Header location = response.getFirstHeader("Location");
    if (location == null || location.getValue() == null) {
      throw new IOException(
          WebFetcher.shown(from)
              + " was redirected by status "
              + response.getCode()
              + " without a Location");
    }
    URI to;
    try {
      to = Uris.resolve(from, bytesEncoded(location.getValue()));
    } catch (URISyntaxException e) {
      throw new IOException(
          WebFetcher.shown(from) + " was redirected to a malformed URI: " + e.getMessage(), e);
    }
    String scheme = to.getScheme().toLowerCase(Locale.ROOT);
    boolean secure = from.getScheme().equalsIgnoreCase("https");
    if (!scheme.equals("https") && !(scheme.equals("http") && !secure)) {
      throw new IOException(
          WebFetcher.shown(start)
              + " was redirected to "
              + WebFetcher.shown(to)
              + ", which is less safe; if that is intended, name it directly");
    }
    return to;
  }

  /** A header's bytes beyond ASCII, whatever letters they were meant for, as a URI has them. */
  private static String bytesEncoded(String header) {
    StringBuilder encoded = new StringBuilder(header.length());
    for (int i = 0; i < header.length(); i++) {
      char c = header.charAt(i);
      if (c < 0x80) {
        encoded.append(c);
      } else {
        encoded.append(String.format(Locale.ROOT, "%%%02X", c & 0xff));
      }
    }
    return encoded.toString();
  }

  private static boolean sameServer(URI one, URI other) {
    HttpHost first = target(one);
    return first.equals(target(other));
  }

  private static String refusal(URI start, URI uri, int status) {
    String text =
        "Status "
            + status
            + " for "
            + WebFetcher.shown(start)
            + (start.equals(uri) ? "" : ", redirected to " + WebFetcher.shown(uri))
            + "; it must be 200";
    return switch (status) {
      case 401, 403 -> text + ". Is a user missing (http://user:password@host/...)?";
      case 404, 410 -> text + ". Is the path right?";
      default -> text;
    };
  }

  /** How far an exchange is; written by the thread that makes it, read by the one that waits. */
  private static final class Transfer {
    private volatile long lastNanos = System.nanoTime();
    private volatile boolean answered;
    private volatile long bytes;

    void answered() {
      answered = true;
      lastNanos = System.nanoTime();
    }

    /** Only the thread that makes the exchange counts. */
    @SuppressWarnings("NonAtomicVolatileUpdate")
    void received(int count) {
      bytes += count;
      lastNanos = System.nanoTime();
    }

    boolean hasAnswered() {
      return answered;
    }

    long bytes() {
      return bytes;
    }

    long silentNanos() {
      return System.nanoTime() - lastNanos;
    }

    String stalled(URI uri, Duration stall) {
      double seconds = stall.toMillis() / 1000.0;
      if (!answered) {
        return WebFetcher.shown(uri) + " did not answer for " + seconds + " s";
      }
      return WebFetcher.shown(uri)
          + " stalled: no byte for "
          + seconds
          + " s after "
          + bytes
          + " bytes; look at the server, or raise --fetcher_stall_timeout";
    }
  }

  @Override
  public void close() {
    client.close(CloseMode.IMMEDIATE);
    connections.close(CloseMode.IMMEDIATE);
    threads.shutdownNow();
  }
}
