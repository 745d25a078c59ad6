package org.mezzo.client;

import com.google.protobuf.Message;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.master.Call;

/** A master and agent of which the test says what it answers. */
final class FakeDaemon implements AutoCloseable {
  final LinkedBlockingQueue<Stream> streams = new LinkedBlockingQueue<>();
  final LinkedBlockingQueue<org.mezzo.protocol.v1.scheduler.Call> calls =
      new LinkedBlockingQueue<>();
  final LinkedBlockingQueue<org.mezzo.protocol.v1.executor.Call> executorCalls =
      new LinkedBlockingQueue<>();

  /** Contents by path; what is missing is 404. */
  final Map<String, byte[]> files = new ConcurrentHashMap<>();

  /** Set: every call to a master is sent there. */
  volatile URI redirect;

  /** Set: what calls to the scheduler endpoint are answered, but SUBSCRIBE. */
  volatile int status = 202;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  FakeDaemon() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/api/v1/scheduler", this::scheduler);
    server.createContext("/api/v1/executor", this::executor);
    server.createContext("/api/v1", this::operator);
    server.createContext("/state", exchange -> answer(exchange, 200, state()));
    server.start();
  }

  /** The sandbox folder that /state tells of; set by a test that has no virtual path. */
  volatile String directory = "";

  volatile String taskId = "";

  private byte[] state() {
    return ("{\"id\":\"a\",\"frameworks\":[{\"id\":\"f\",\"executors\":[{\"id\":\""
            + taskId
            + "\",\"directory\":\""
            + directory
            + "\"}]}]}")
        .getBytes(StandardCharsets.UTF_8);
  }

  String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  URI uri() {
    return URI.create("http://" + address());
  }

  int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void scheduler(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    if (redirected(exchange)) {
      return;
    }
    org.mezzo.protocol.v1.scheduler.Call call =
        decode(exchange, body, org.mezzo.protocol.v1.scheduler.Call.getDefaultInstance());
    if (call.getType() == org.mezzo.protocol.v1.scheduler.Call.Type.SUBSCRIBE) {
      exchange.getResponseHeaders().add("Mesos-Stream-Id", "stream-" + streams.size());
      stream(exchange, call);
    } else {
      calls.add(call);
      answer(
          exchange,
          status,
          status == 202 ? new byte[0] : "not now".getBytes(StandardCharsets.UTF_8));
    }
  }

  private void executor(HttpExchange exchange) throws IOException {
    org.mezzo.protocol.v1.executor.Call call =
        decode(
            exchange,
            exchange.getRequestBody().readAllBytes(),
            org.mezzo.protocol.v1.executor.Call.getDefaultInstance());
    if (call.getType() == org.mezzo.protocol.v1.executor.Call.Type.SUBSCRIBE) {
      stream(exchange, call);
    } else {
      executorCalls.add(call);
      answer(exchange, 202, new byte[0]);
    }
  }

  private void operator(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    if (redirected(exchange)) {
      return;
    }
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    if (authorization != null && !authorization.equals("Basic dXNlcjpwYXNz")) {
      answer(exchange, 401, "401 Unauthorized.".getBytes(StandardCharsets.UTF_8));
      return;
    }
    org.mezzo.protocol.v1.agent.Call read =
        decode(exchange, body, org.mezzo.protocol.v1.agent.Call.getDefaultInstance());
    if (read.hasReadFile()) {
      byte[] content = files.get(read.getReadFile().getPath());
      if (content == null) {
        answer(exchange, 404, new byte[0]);
        return;
      }
      int from = (int) Math.min(content.length, read.getReadFile().getOffset());
      int length =
          (int) Math.min(content.length - from, Math.min(7, read.getReadFile().getLength()));
      reply(
          exchange,
          org.mezzo.protocol.v1.agent.Response.newBuilder()
              .setType(org.mezzo.protocol.v1.agent.Response.Type.READ_FILE)
              .setReadFile(
                  org.mezzo.protocol.v1.agent.Response.ReadFile.newBuilder()
                      .setSize(content.length)
                      .setData(com.google.protobuf.ByteString.copyFrom(content, from, length)))
              .build());
      return;
    }
    Call call = decode(exchange, body, Call.getDefaultInstance());
    switch (call.getType()) {
      case SUBSCRIBE -> stream(exchange, call);
      case GET_VERSION ->
          reply(
              exchange,
              org.mezzo.protocol.v1.master.Response.newBuilder()
                  .setType(org.mezzo.protocol.v1.master.Response.Type.GET_VERSION)
                  .build());
      default -> answer(exchange, 403, "no permission".getBytes(StandardCharsets.UTF_8));
    }
  }

  private boolean redirected(HttpExchange exchange) throws IOException {
    URI target = redirect;
    if (target == null) {
      return false;
    }
    exchange
        .getResponseHeaders()
        .add("Location", "//" + target.getAuthority() + exchange.getRequestURI());
    answer(exchange, 307, new byte[0]);
    return true;
  }

  private static boolean json(HttpExchange exchange) {
    return exchange.getRequestHeaders().getFirst("Accept").equals("application/json");
  }

  @SuppressWarnings("unchecked")
  private static <M extends Message> M decode(HttpExchange exchange, byte[] body, M type)
      throws IOException {
    return json(exchange)
        ? Json.decode(body, type)
        : (M) type.getParserForType().parsePartialFrom(body);
  }

  private static void reply(HttpExchange exchange, Message message) throws IOException {
    answer(exchange, 200, json(exchange) ? Json.encode(message) : message.toByteArray());
  }

  private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  private void stream(HttpExchange exchange, Message subscribe) throws IOException {
    exchange.sendResponseHeaders(200, 0);
    Stream stream = new Stream(subscribe, exchange, json(exchange));
    streams.add(stream);
  }

  Stream stream() throws InterruptedException {
    Stream stream = streams.poll(60, TimeUnit.SECONDS);
    if (stream == null) {
      throw new AssertionError("nobody has subscribed");
    }
    return stream;
  }

  /** One subscription. */
  static final class Stream {
    final Message subscribe;
    private final HttpExchange exchange;
    private final boolean json;
    private final OutputStream out;

    Stream(Message subscribe, HttpExchange exchange, boolean json) {
      this.subscribe = subscribe;
      this.exchange = exchange;
      this.json = json;
      this.out = exchange.getResponseBody();
    }

    void send(Message event) throws IOException {
      sendRaw(json ? Json.encode(event) : event.toByteArray());
    }

    void sendRaw(byte[] record) throws IOException {
      out.write(RecordIo.frame(record));
      out.flush();
    }

    void end() {
      exchange.close();
    }
  }
}
