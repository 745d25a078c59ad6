package org.mezzo.fetcher.uri;

import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Reads from web servers. Safe for any thread; every call blocks its own. */
final class WebClient implements AutoCloseable {
  private static final int MOST_REDIRECTS = 20;
  private static final int OK = 200;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  private final ExecutorService threads;
  private final HttpClient client;

  WebClient(String daemon) {
    AtomicInteger count = new AtomicInteger();
    threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, daemon + "-fetch-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    client =
        HttpClient.newBuilder()
            .executor(threads)
            // Followed here, so that a password stays with the server it was given for.
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  /** Writes the body of the final answer, which must be a 200. */
  void get(URI uri, FileChannel out, Duration stall, Consumer<String> progress)
      throws IOException, InterruptedException {
    HttpResponse<Flow.Publisher<List<ByteBuffer>>> response =
        follow("GET", uri, stall, BodyHandlers.ofPublisher(), progress);
    Body body = new Body();
    response.body().subscribe(body);
    try {
      if (response.statusCode() != OK) {
        throw new IOException(refusal(uri, response));
      }
      long received = body.writeTo(out, uri, stall);
      OptionalLong announced = response.headers().firstValueAsLong("content-length");
      if (announced.isPresent() && announced.getAsLong() != received) {
        throw new IOException(
            UriFetcher.shown(uri)
                + " ended after "
                + received
                + " of "
                + announced.getAsLong()
                + " bytes; try again, or look at the server's log");
      }
    } finally {
      body.cancel();
    }
  }

  /** The length that the server announces. */
  Optional<Long> size(URI uri, Duration limit) throws IOException, InterruptedException {
    HttpResponse<Void> response = follow("HEAD", uri, limit, BodyHandlers.discarding(), line -> {});
    if (response.statusCode() != OK) {
      throw new IOException(refusal(uri, response));
    }
    OptionalLong length = response.headers().firstValueAsLong("content-length");
    return length.isPresent() ? Optional.of(length.getAsLong()) : Optional.empty();
  }

  private <B> HttpResponse<B> follow(
      String method,
      URI start,
      Duration limit,
      HttpResponse.BodyHandler<B> handler,
      Consumer<String> progress)
      throws IOException, InterruptedException {
    URI uri = start;
    for (int redirects = 0; ; redirects++) {
      HttpResponse<B> response = send(method, start, uri, limit, handler);
      if (!REDIRECTS.contains(response.statusCode())) {
        return response;
      }
      discard(response.body());
      if (redirects == MOST_REDIRECTS) {
        throw new IOException(
            UriFetcher.shown(start)
                + " was redirected more than "
                + MOST_REDIRECTS
                + " times, now to "
                + UriFetcher.shown(uri)
                + "; the server probably redirects in a circle");
      }
      uri = next(start, uri, response);
      progress.accept("Redirected to " + UriFetcher.shown(uri));
    }
  }

  private <B> HttpResponse<B> send(
      String method, URI start, URI uri, Duration limit, HttpResponse.BodyHandler<B> handler)
      throws IOException, InterruptedException {
    HttpRequest.Builder request;
    try {
      request =
          HttpRequest.newBuilder(withoutUser(uri))
              .method(method, HttpRequest.BodyPublishers.noBody())
              .timeout(limit);
    } catch (IllegalArgumentException e) {
      throw new IOException(UriFetcher.shown(uri) + " cannot be fetched: " + e.getMessage(), e);
    }
    if (uri.getScheme().equalsIgnoreCase("http")) {
      // Without the attempt to upgrade, which old servers do not take well.
      request.version(HttpClient.Version.HTTP_1_1);
    }
    if (start.getRawUserInfo() != null && sameServer(start, uri)) {
      String user =
          URLDecoder.decode(start.getRawUserInfo().replace("+", "%2B"), StandardCharsets.UTF_8);
      request.header(
          "Authorization",
          "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8)));
    }
    CompletableFuture<HttpResponse<B>> answer = client.sendAsync(request.build(), handler);
    try {
      return answer.get();
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw e;
    } catch (ExecutionException e) {
      throw failure(uri, limit, e.getCause());
    }
  }

  private static IOException failure(URI uri, Duration limit, Throwable cause) {
    if (cause instanceof HttpTimeoutException) {
      return new IOException(
          UriFetcher.shown(uri) + " did not answer for " + limit.toMillis() / 1000.0 + " s", cause);
    }
    if (cause instanceof java.net.ConnectException) {
      return new IOException(
          "Cannot connect for "
              + UriFetcher.shown(uri)
              + ": is the name right and the server running?",
          cause);
    }
    return new IOException(
        "Reading " + UriFetcher.shown(uri) + " failed: " + cause.getMessage(), cause);
  }

  private static URI next(URI start, URI from, HttpResponse<?> response) throws IOException {
    String location =
        response
            .headers()
            .firstValue("location")
            .orElseThrow(
                () ->
                    new IOException(
                        UriFetcher.shown(from)
                            + " was redirected by status "
                            + response.statusCode()
                            + " without a Location"));
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new IOException(UriFetcher.shown(from) + " was redirected to a malformed URI", e);
    }
    String scheme = to.getScheme() == null ? "" : to.getScheme().toLowerCase(Locale.ROOT);
    boolean secure = from.getScheme().equalsIgnoreCase("https");
    if (!scheme.equals("https") && !(scheme.equals("http") && !secure)) {
      throw new IOException(
          UriFetcher.shown(start)
              + " was redirected to "
              + UriFetcher.shown(to)
              + ", which is less safe; if that is intended, name it directly");
    }
    return to;
  }

  private static boolean sameServer(URI one, URI other) {
    return one.getScheme().equalsIgnoreCase(other.getScheme())
        && one.getHost().equalsIgnoreCase(other.getHost())
        && one.getPort() == other.getPort();
  }

  private static URI withoutUser(URI uri) {
    if (uri.getRawUserInfo() == null) {
      return uri;
    }
    return URI.create(uri.toString().replaceFirst("//[^/@]*@", "//"));
  }

  private static String refusal(URI uri, HttpResponse<?> response) {
    String text =
        "Status "
            + response.statusCode()
            + " for "
            + UriFetcher.shown(uri)
            + (response.uri().getRawPath().equals(uri.getRawPath())
                ? ""
                : ", redirected to " + UriFetcher.shown(response.uri()))
            + "; it must be 200";
    return switch (response.statusCode()) {
      case 401, 403 -> text + ". Is a user missing (http://user:password@host/...)?";
      case 404, 410 -> text + ". Is the path right?";
      default -> text;
    };
  }

  private static void discard(Object body) {
    if (body instanceof Flow.Publisher<?>) {
      @SuppressWarnings("unchecked")
      Flow.Publisher<List<ByteBuffer>> publisher = (Flow.Publisher<List<ByteBuffer>>) body;
      Body unread = new Body();
      publisher.subscribe(unread);
      unread.cancel();
    }
  }

  /** Hands the body to the thread that waits for it, one piece at a time. */
  private static final class Body implements Flow.Subscriber<List<ByteBuffer>> {
    /** A piece, or the end, with the failure if it is one. */
    private record Piece(List<ByteBuffer> bytes, boolean last, Throwable failure) {}

    private final LinkedBlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private volatile Flow.Subscription subscription;
    private volatile boolean cancelled;

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      if (cancelled) {
        given.cancel();
      } else {
        given.request(1);
      }
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
      pieces.add(new Piece(bytes, false, null));
    }

    @Override
    public void onError(Throwable failure) {
      pieces.add(new Piece(List.of(), true, failure));
    }

    @Override
    public void onComplete() {
      pieces.add(new Piece(List.of(), true, null));
    }

    long writeTo(FileChannel out, URI uri, Duration stall)
        throws IOException, InterruptedException {
      long received = 0;
      while (true) {
        Piece piece = pieces.poll(stall.toNanos(), TimeUnit.NANOSECONDS);
        if (piece == null) {
          throw new IOException(
              UriFetcher.shown(uri)
                  + " stalled: no byte for "
                  + stall.toMillis() / 1000.0
                  + " s after "
                  + received
                  + " bytes; look at the server, or raise --fetcher_stall_timeout");
        }
        if (piece.failure != null) {
          throw new IOException(
              "Reading "
                  + UriFetcher.shown(uri)
                  + " failed after "
                  + received
                  + " bytes: "
                  + piece.failure.getMessage(),
              piece.failure);
        }
        for (ByteBuffer bytes : piece.bytes) {
          while (bytes.hasRemaining()) {
            received += out.write(bytes);
          }
        }
        if (piece.last) {
          return received;
        }
        subscription.request(1);
      }
    }

    void cancel() {
      cancelled = true;
      if (subscription != null) {
        subscription.cancel();
      }
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
