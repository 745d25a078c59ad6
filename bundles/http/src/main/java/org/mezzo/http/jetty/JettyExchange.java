package org.mezzo.http.jetty;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;
import org.eclipse.jetty.http.BadMessageException;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.eclipse.jetty.util.thread.Scheduler;
import org.mezzo.http.BodyListener;
import org.mezzo.http.BodyTooLargeException;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.ResponseStream;
import org.mezzo.http.StreamBound;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An exchange over any HTTP version. */
final class JettyExchange implements HttpExchange {
  private static final Logger LOG = LoggerFactory.getLogger(JettyExchange.class);

  /** For caches: another client may be sent other bytes. */
  private static final HttpField BY_ENCODING = new HttpField(HttpHeader.VARY, "Accept-Encoding");

  private final JettyConnector connector;
  private final Request request;
  private final Response response;
  private final Callback callback;

  /** When an answer was there, by {@link System#nanoTime}; 0 before. */
  private final AtomicLong answeredNanos = new AtomicLong();

  private final AtomicBoolean bodyTaken = new AtomicBoolean();
  private volatile boolean bodyComplete;
  private volatile boolean streaming;
  private Map<String, List<String>> headers;
  private Map<String, String> query;

  JettyExchange(JettyConnector connector, Request request, Response response, Callback callback) {
    this.connector = connector;
    this.request = request;
    this.response = response;
    this.callback = callback;
    request.addIdleTimeoutListener(timeout -> !somethingIsUnderWay());
  }

  /**
   * Whether silence is no fault of the client: the answer is being made or was just now, or is a
   * stream, whose client is cut by the queue's bound if it does not read.
   */
  private boolean somethingIsUnderWay() {
    long since = answeredNanos.get();
    return streaming
        || (since == 0
            ? bodyComplete || !bodyTaken.get()
            : System.nanoTime() - since < connector.idleTimeout().toNanos());
  }

  /** Whether this is the first answer. */
  private boolean takeAnswer() {
    return answeredNanos.compareAndSet(0, System.nanoTime() | 1);
  }

  @Override
  public String method() {
    return request.getMethod();
  }

  @Override
  public String path() {
    String path = request.getHttpURI().getCanonicalPath();
    return path == null || path.isEmpty() ? "/" : path.replace("%25", "%");
  }

  @Override
  public String pathAndQuery() {
    return request.getHttpURI().getPathQuery();
  }

  @Override
  public synchronized Map<String, String> query() {
    if (query == null) {
      Map<String, String> parsed = new LinkedHashMap<>();
      try {
        for (Fields.Field field : Request.extractQueryParameters(request)) {
          parsed.put(field.getName(), field.getValue());
        }
      } catch (BadMessageException | IllegalArgumentException e) {
        parsed.clear();
      }
      query = Collections.unmodifiableMap(parsed);
    }
    return query;
  }

  @Override
  public synchronized Map<String, List<String>> headers() {
    if (headers == null) {
      Map<String, List<String>> all = new LinkedHashMap<>();
      for (HttpField field : request.getHeaders()) {
        all.computeIfAbsent(field.getLowerCaseName(), name -> new ArrayList<>(1))
            .add(field.getValue() == null ? "" : field.getValue());
      }
      headers = Collections.unmodifiableMap(all);
    }
    return headers;
  }

  @Override
  public Optional<String> header(String name) {
    return Optional.ofNullable(request.getHeaders().get(name));
  }

  @Override
  public InetSocketAddress remote() {
    return inet(request.getConnectionMetaData().getRemoteSocketAddress());
  }

  @Override
  public InetSocketAddress local() {
    return inet(request.getConnectionMetaData().getLocalSocketAddress());
  }

  private static InetSocketAddress inet(SocketAddress address) {
    return address instanceof InetSocketAddress
        ? (InetSocketAddress) address
        : InetSocketAddress.createUnresolved("unknown", 0);
  }

  @Override
  public Optional<X509Certificate> clientCertificate() {
    EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
    EndPoint.SslSessionData tls = endPoint.getSslSessionData();
    X509Certificate[] chain = tls == null ? null : tls.peerCertificates();
    return chain == null || chain.length == 0 ? Optional.empty() : Optional.of(chain[0]);
  }

  @Override
  public CompletionStage<byte[]> body(int limit) {
    CompletableFuture<byte[]> body = new CompletableFuture<>();
    if (request.getLength() > limit) {
      body.completeExceptionally(new BodyTooLargeException(limit));
      return body;
    }
    boolean gzip =
        header("Content-Encoding").map(coding -> coding.equalsIgnoreCase("gzip")).orElse(false);
    ByteArrayOutputStream collected =
        new ByteArrayOutputStream((int) Math.max(32, request.getLength()));
    receive(
        new BodyListener() {
          @Override
          public void bytes(ByteBuffer bytes) {
            if (body.isDone()) {
              return;
            }
            if (collected.size() + bytes.remaining() > limit) {
              body.completeExceptionally(new BodyTooLargeException(limit));
              return;
            }
            byte[] piece = new byte[bytes.remaining()];
            bytes.get(piece);
            collected.writeBytes(piece);
          }

          @Override
          public void complete() {
            if (body.isDone()) {
              return;
            }
            try {
              body.complete(
                  gzip ? decompressed(collected.toByteArray(), limit) : collected.toByteArray());
            } catch (IOException e) {
              body.completeExceptionally(e);
            }
          }

          @Override
          public void failed(Throwable cause) {
            body.completeExceptionally(
                new IOException("The request's body did not arrive: " + cause.getMessage(), cause));
          }
        },
        () -> body.isDone());
    return body;
  }

  private static byte[] decompressed(byte[] compressed, int limit) throws IOException {
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(compressed))) {
      byte[] bytes = in.readNBytes(limit);
      if (in.read() >= 0) {
        throw new BodyTooLargeException(limit);
      }
      return bytes;
    } catch (BodyTooLargeException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(
          "Failed to decode the body: it is not the gzip that Content-Encoding says", e);
    }
  }

  @Override
  public void receive(BodyListener listener) {
    receive(listener, () -> false);
  }

  private void receive(BodyListener listener, java.util.function.BooleanSupplier enough) {
    if (!bodyTaken.compareAndSet(false, true)) {
      throw new IllegalStateException("The body has been asked for already");
    }
    pump(listener, enough);
  }

  private void pump(BodyListener listener, java.util.function.BooleanSupplier enough) {
    while (!enough.getAsBoolean()) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(() -> pump(listener, enough));
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        listener.failed(chunk.getFailure());
        return;
      }
      try {
        if (chunk.hasRemaining()) {
          listener.bytes(chunk.getByteBuffer());
        }
      } finally {
        chunk.release();
      }
      if (chunk.isLast()) {
        bodyComplete = true;
        listener.complete();
        return;
      }
      CompletableFuture<?> room = listener.room().toCompletableFuture();
      if (!room.isDone()) {
        room.whenComplete(
            (taken, failure) ->
                request.getComponents().getExecutor().execute(() -> pump(listener, enough)));
        return;
      }
    }
  }

  @Override
  public void respond(HttpResponse answer) {
    if (takeAnswer()) {
      onceRead(() -> send(answer));
    }
  }

  private void send(HttpResponse answer) {
    HttpResponse sent = answer;
    boolean negotiated = answer.compressible();
    if (negotiated && compresses()) {
      sent = answer.compressed();
    }
    byte[] body = sent.body();
    response.setStatus(sent.status());
    sent.headers().forEach((name, value) -> response.getHeaders().put(name, value));
    if (negotiated) {
      response.getHeaders().ensureField(BY_ENCODING);
    }
    if (answer.status() != 204 && answer.status() != 304) {
      response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    }
    connector.exchangeEnded();
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  /**
   * Answers when what came with the request is read, or else tells the client that the connection
   * ends: one that was answered before it had sent everything finds it closed in the middle of its
   * next request.
   */
  private void onceRead(Runnable answer) {
    if (bodyComplete) {
      answer.run();
    } else if (request.getHeaders().contains(HttpHeader.EXPECT)
        || !bodyTaken.compareAndSet(false, true)) {
      close(answer);
    } else {
      new Remainder(answer).skip();
    }
  }

  private void close(Runnable answer) {
    if (request.getConnectionMetaData().getHttpVersion().getVersion() < 20) {
      response.getHeaders().put(HttpHeader.CONNECTION, "close");
    }
    answer.run();
  }

  /** What nobody wants of a request's body; so little is read that it costs nothing. */
  private final class Remainder {
    private static final int MOST_BYTES = 1 << 20;
    private static final int MOST_MILLIS = 2000;

    private final Runnable answer;
    private final AtomicBoolean over = new AtomicBoolean();
    private Scheduler.Task limit;
    private int bytes;

    Remainder(Runnable answer) {
      this.answer = answer;
    }

    void skip() {
      while (!over.get()) {
        Content.Chunk chunk = request.read();
        if (chunk == null) {
          if (limit == null) {
            limit =
                request
                    .getComponents()
                    .getScheduler()
                    .schedule(() -> end(false), MOST_MILLIS, TimeUnit.MILLISECONDS);
          }
          request.demand(this::skip);
          return;
        }
        if (Content.Chunk.isFailure(chunk)) {
          end(false);
          return;
        }
        bytes += chunk.remaining();
        chunk.release();
        if (chunk.isLast()) {
          bodyComplete = true;
          end(true);
        } else if (bytes > MOST_BYTES) {
          end(false);
        }
      }
    }

    private void end(boolean complete) {
      if (!over.compareAndSet(false, true)) {
        return;
      }
      if (limit != null) {
        limit.cancel();
      }
      if (complete) {
        answer.run();
      } else {
        close(answer);
      }
    }
  }

  @Override
  public boolean compresses() {
    List<String> accepted = headers().get("accept-encoding");
    if (accepted == null) {
      return false;
    }
    for (String item : String.join(",", accepted).toLowerCase(Locale.ROOT).split(",")) {
      String[] parts = item.split(";");
      String coding = parts[0].strip();
      if (coding.equals("gzip") || coding.equals("*")) {
        return parts.length < 2 || !parts[1].strip().matches("q\\s*=\\s*0(\\.0*)?");
      }
    }
    return false;
  }

  @Override
  public void respondContent(Map<String, String> headers, SeekableByteChannel content, long size) {
    if (!takeAnswer()) {
      close(content);
      return;
    }
    response.setStatus(200);
    headers.forEach((name, value) -> response.getHeaders().put(name, value));
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, size);
    connector.exchangeEnded();
    Content.copy(
        Content.Source.from(null, content, 0, size),
        response,
        Callback.from(callback, () -> close(content)));
  }

  private static void close(SeekableByteChannel content) {
    try {
      content.close();
    } catch (IOException e) {
      LOG.warn("Cannot close a file that was sent", e);
    }
  }

  /** Answers 500 unless something was answered already. */
  void fail() {
    respond(HttpResponse.text(500, "500 Internal Server Error."));
  }

  @Override
  public ResponseStream stream(int status, Map<String, String> headers, StreamBound bound) {
    if (!takeAnswer()) {
      throw new IllegalStateException("The exchange is answered already");
    }
    streaming = true;
    response.setStatus(status);
    headers.forEach((name, value) -> response.getHeaders().put(name, value));
    JettyStream stream = new JettyStream(connector, request, response, callback, bound);
    connector.streamBegan(stream);
    stream.begin(requestIsRead());
    return stream;
  }

  /** Whether nothing of the request is left to read, so that what comes next is its end. */
  private boolean requestIsRead() {
    if (bodyComplete) {
      return true;
    }
    if (!bodyTaken.compareAndSet(false, true)) {
      return false;
    }
    Content.Chunk chunk = request.read();
    if (chunk == null || Content.Chunk.isFailure(chunk)) {
      return false;
    }
    chunk.release();
    return chunk.isLast();
  }
}
