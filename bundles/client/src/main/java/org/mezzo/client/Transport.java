package org.mezzo.client;

import com.google.protobuf.Message;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.recordio.RecordIo;

/** HTTP as all clients of this package use it: encoding, authentication, following the leader. */
final class Transport implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(60);
  private static final int MAX_REDIRECTS = 5;

  /** A snapshot of a large cluster is one record. */
  private static final int MAX_RECORD_BYTES = 1 << 30;

  private final ClientOptions options;
  private final ExecutorService threads;
  private final HttpClient http;

  /** Who led when last asked; null when nobody is known. */
  private volatile URI leader;

  Transport(ClientOptions options) {
    this.options = options;
    int number = NUMBER.incrementAndGet();
    AtomicInteger thread = new AtomicInteger();
    this.threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread created =
                  new Thread(task, "client-" + number + "-" + thread.incrementAndGet());
              created.setDaemon(true);
              return created;
            });
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT)
            .executor(threads);
    options.tls().ifPresent(builder::sslContext);
    this.http = builder.build();
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }

  byte[] encode(Message message) {
    return options.format() == ClientOptions.Format.JSON
        ? Json.encode(message)
        : message.toByteArray();
  }

  @SuppressWarnings("unchecked")
  <M extends Message> M decode(byte[] bytes, M type) throws IOException {
    return options.format() == ClientOptions.Format.JSON
        ? Json.decode(bytes, type)
        : (M) type.getParserForType().parseFrom(bytes);
  }

  /** Posts to the leading master and answers the body of a status of 2xx. */
  CompletableFuture<byte[]> callLeader(String path, byte[] body, Map<String, String> headers) {
    return leading(
        base ->
            http.sendAsync(
                request(base.resolve(path), headers)
                    .timeout(CALL_TIMEOUT)
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                    .build(),
                HttpResponse.BodyHandlers.ofByteArray()));
  }

  /** Posts to the leading master and delivers its answer's records until it ends. */
  CompletableFuture<byte[]> streamFromLeader(
      String path, byte[] body, Map<String, String> headers, Records records) {
    return leading(base -> openStream(base, path, body, headers, records));
  }

  /** Posts to one daemon. */
  CompletableFuture<byte[]> call(URI base, String path, byte[] body, Map<String, String> headers) {
    return http.sendAsync(
            request(base.resolve(path), headers)
                .timeout(CALL_TIMEOUT)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build(),
            HttpResponse.BodyHandlers.ofByteArray())
        .thenApply(Transport::accepted);
  }

  /** Gets from one daemon. */
  <T> CompletableFuture<HttpResponse<T>> get(
      URI base, String pathAndQuery, HttpResponse.BodyHandler<T> handler) {
    return http.sendAsync(request(base.resolve(pathAndQuery), Map.of()).GET().build(), handler);
  }

  /** Posts to one daemon and delivers its answer's records until it ends. */
  CompletableFuture<byte[]> stream(
      URI base, String path, byte[] body, Map<String, String> headers, Records records) {
    return openStream(base, path, body, headers, records).thenApply(Transport::accepted);
  }

  private CompletableFuture<HttpResponse<byte[]>> openStream(
      URI base, String path, byte[] body, Map<String, String> headers, Records records) {
    HttpRequest request =
        request(base.resolve(path), headers)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
    return http.sendAsync(
        request,
        info -> {
          if (info.statusCode() != 200) {
            return HttpResponse.BodySubscribers.ofByteArray();
          }
          records.opened(info.headers());
          return new RecordSubscriber(records);
        });
  }

  private HttpRequest.Builder request(URI uri, Map<String, String> headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    Map<String, String> all = new LinkedHashMap<>();
    all.put("Content-Type", options.format().mediaType());
    all.put("Accept", options.format().mediaType());
    options
        .credential()
        .ifPresent(
            credential -> {
              String pair = credential.getPrincipal() + ":" + credential.getSecret();
              all.put(
                  "Authorization",
                  "Basic "
                      + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
            });
    all.putAll(headers);
    all.forEach(request::setHeader);
    return request;
  }

  private interface Attempt {
    CompletableFuture<HttpResponse<byte[]>> at(URI base);
  }

  /** Tries the last leader, then all candidates, and goes where it is sent (rule 12). */
  private CompletableFuture<byte[]> leading(Attempt attempt) {
    List<URI> order = new ArrayList<>();
    URI last = leader;
    if (last != null) {
      order.add(last);
    }
    for (URI candidate : options.masters().candidates()) {
      if (!order.contains(candidate)) {
        order.add(candidate);
      }
    }
    if (order.isEmpty()) {
      return CompletableFuture.failedFuture(new IOException("No leading master is known"));
    }
    return next(attempt, order, 0, null);
  }

  private CompletableFuture<byte[]> next(
      Attempt attempt, List<URI> order, int index, Throwable failure) {
    if (index == order.size()) {
      leader = null;
      return CompletableFuture.failedFuture(failure);
    }
    URI base = order.get(index);
    return follow(attempt, base, 0)
        .handle(
            (body, cause) -> {
              if (cause == null) {
                return CompletableFuture.completedFuture(body);
              }
              Throwable why = unwrap(cause);
              boolean elsewhere =
                  !(why instanceof StreamBrokenException)
                      && !(why instanceof ApiException api && !api.temporary());
              if (!elsewhere) {
                return CompletableFuture.<byte[]>failedFuture(why);
              }
              Throwable said =
                  why instanceof ApiException
                      ? why
                      : new IOException("No answer from " + base + ": " + describe(why), why);
              return next(attempt, order, index + 1, said);
            })
        .thenCompose(future -> future);
  }

  private CompletableFuture<byte[]> follow(Attempt attempt, URI base, int redirects) {
    return attempt
        .at(base)
        .thenCompose(
            response -> {
              int status = response.statusCode();
              Optional<String> location = response.headers().firstValue("Location");
              if (status >= 301 && status <= 308 && location.isPresent()) {
                if (redirects == MAX_REDIRECTS) {
                  return CompletableFuture.failedFuture(
                      new ApiException(503, "Masters redirect to each other; none leads yet"));
                }
                URI target = base.resolve(location.get());
                URI next = URI.create(target.getScheme() + "://" + target.getRawAuthority());
                return follow(attempt, next, redirects + 1);
              }
              leader = base;
              return CompletableFuture.completedFuture(accepted(response));
            });
  }

  private static byte[] accepted(HttpResponse<byte[]> response) {
    if (response.statusCode() / 100 != 2) {
      throw new CompletionException(
          new ApiException(
              response.statusCode(), new String(response.body(), StandardCharsets.UTF_8)));
    }
    return response.body();
  }

  static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Some exceptions of the JDK's client have no message. */
  static String describe(Throwable failure) {
    Throwable cause = unwrap(failure);
    return cause.getMessage() == null || cause.getMessage().equals("null")
        ? cause.getClass().getSimpleName()
        : cause.getMessage();
  }

  /** Receives a stream; called one at a time. */
  abstract static class Records {
    private volatile boolean cancelled;
    private volatile Flow.Subscription subscription;

    /** The answer has begun. */
    abstract void opened(HttpHeaders headers);

    abstract void record(byte[] record);

    /** Drops the connection; what is delivered afterwards must be ignored by the receiver. */
    void cancel() {
      cancelled = true;
      Flow.Subscription open = subscription;
      if (open != null) {
        open.cancel();
      }
    }
  }

  /** A stream that broke after it had begun: not a reason to try another master. */
  static final class StreamBrokenException extends IOException {
    private static final long serialVersionUID = 1L;

    StreamBrokenException(Throwable cause) {
      super(describe(cause), cause);
    }
  }

  private static final class RecordSubscriber implements HttpResponse.BodySubscriber<byte[]> {
    private final CompletableFuture<byte[]> end = new CompletableFuture<>();
    private final Records records;
    private final RecordIo.Decoder decoder;
    private Flow.Subscription subscription;

    RecordSubscriber(Records records) {
      this.records = records;
      Consumer<byte[]> deliver = records::record;
      this.decoder = RecordIo.decoder(MAX_RECORD_BYTES, deliver);
    }

    @Override
    public CompletionStage<byte[]> getBody() {
      return end;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
      records.subscription = subscription;
      if (records.cancelled) {
        subscription.cancel();
        end.completeExceptionally(new StreamBrokenException(new IOException("closed")));
      } else {
        subscription.request(1);
      }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      try {
        for (ByteBuffer buffer : buffers) {
          decoder.feed(buffer);
        }
        subscription.request(1);
      } catch (IOException | RuntimeException e) {
        subscription.cancel();
        end.completeExceptionally(new StreamBrokenException(e));
      }
    }

    @Override
    public void onError(Throwable failure) {
      end.completeExceptionally(new StreamBrokenException(failure));
    }

    @Override
    public void onComplete() {
      end.complete(new byte[0]);
    }
  }
}
