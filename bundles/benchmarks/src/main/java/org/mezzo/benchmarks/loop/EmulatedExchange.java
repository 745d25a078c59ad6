package org.mezzo.benchmarks.loop;

import java.net.InetSocketAddress;
import java.nio.channels.SeekableByteChannel;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.mezzo.http.BodyListener;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.ResponseStream;
import org.mezzo.http.StreamBound;

/** One POST of a protobuf call to the scheduler API, without a network. */
final class EmulatedExchange implements HttpExchange {
  private static final String TYPE = "application/x-protobuf";

  private final Map<String, List<String>> headers;
  private final byte[] body;
  private final Consumer<byte[]> streamed;
  private final CompletableFuture<HttpResponse> response = new CompletableFuture<>();
  private volatile Map<String, String> streamHeaders = Map.of();

  /**
   * A call.
   *
   * @param streamId of the framework; empty for SUBSCRIBE
   * @param streamed takes what comes on the answer's stream, one piece at a time
   */
  EmulatedExchange(Optional<String> streamId, byte[] body, Consumer<byte[]> streamed) {
    this.headers =
        streamId
            .map(
                id ->
                    Map.of(
                        "content-type", List.of(TYPE),
                        "accept", List.of(TYPE),
                        "mesos-stream-id", List.of(id)))
            .orElse(Map.of("content-type", List.of(TYPE), "accept", List.of(TYPE)));
    this.body = body;
    this.streamed = streamed;
  }

  /** The answer, unless it is a stream. */
  CompletableFuture<HttpResponse> response() {
    return response;
  }

  /** The headers of the answer that is a stream. */
  Map<String, String> streamHeaders() {
    return streamHeaders;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/api/v1/scheduler";
  }

  @Override
  public String pathAndQuery() {
    return path();
  }

  @Override
  public Map<String, String> query() {
    return Map.of();
  }

  @Override
  public Map<String, List<String>> headers() {
    return headers;
  }

  @Override
  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name.toLowerCase(java.util.Locale.ROOT)))
        .map(values -> values.get(0));
  }

  @Override
  public InetSocketAddress remote() {
    return InetSocketAddress.createUnresolved("127.0.0.1", 1);
  }

  @Override
  public InetSocketAddress local() {
    return InetSocketAddress.createUnresolved("127.0.0.1", 5050);
  }

  @Override
  public Optional<X509Certificate> clientCertificate() {
    return Optional.empty();
  }

  @Override
  public CompletionStage<byte[]> body(int limit) {
    return CompletableFuture.completedFuture(body);
  }

  @Override
  public void receive(BodyListener listener) {
    throw new UnsupportedOperationException("Calls are read as a whole");
  }

  @Override
  public boolean compresses() {
    return false;
  }

  @Override
  public void respond(HttpResponse answer) {
    response.complete(answer);
  }

  @Override
  public void respondContent(Map<String, String> given, SeekableByteChannel content, long count) {
    throw new UnsupportedOperationException("The scheduler API sends no files");
  }

  @Override
  public ResponseStream stream(int status, Map<String, String> given, StreamBound bound) {
    streamHeaders = given;
    return new ResponseStream() {
      private Consumer<Throwable> closed = cause -> {};
      private boolean ended;

      @Override
      public boolean write(byte[] bytes) {
        streamed.accept(bytes);
        return true;
      }

      @Override
      public void end() {
        over(null);
      }

      @Override
      public void abort() {
        abort(new java.io.IOException("aborted"));
      }

      @Override
      public void abort(Throwable reason) {
        over(reason);
      }

      private void over(Throwable cause) {
        Consumer<Throwable> told;
        synchronized (this) {
          if (ended) {
            return;
          }
          ended = true;
          told = closed;
        }
        told.accept(cause);
      }

      @Override
      public synchronized void onClosed(Consumer<Throwable> listener) {
        Consumer<Throwable> before = closed;
        closed =
            cause -> {
              before.accept(cause);
              listener.accept(cause);
            };
      }

      @Override
      public void whenTaken(Runnable listener) {
        listener.run();
      }

      @Override
      public long queuedBytes() {
        return 0;
      }
    };
  }
}
