package org.mezzo.daemon.calls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.mezzo.daemon.TestEndpoint;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.http.SlowClientException;
import org.mezzo.http.StreamBound;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Event;
import org.mezzo.protocol.v1.master.Response;

class CallEndpointTest {
  private static final int READERS = 4;

  private final Workers workers = new Workers("test", READERS);
  private final EventLoop loop = new EventLoop("test");
  private final BlockingQueue<EventStream<Event>> streams = new LinkedBlockingQueue<>();
  private final BlockingQueue<Following> followings = new LinkedBlockingQueue<>();
  private final MetricsRegistry metrics = new MetricsRegistry();
  private volatile StreamBound bound = StreamBound.of(1 << 20);
  private TestServer server;

  @BeforeEach
  void open() throws Exception {
    Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
    router.add(TestEndpoint.of("/api/v1", Access.NONE, endpoint()));
    router.add(TestEndpoint.of("/limited", Access.NONE, endpoint().maxBodyBytes(10)));
    router.add(
        TestEndpoint.of(
            "/agent", Access.NONE, endpoint().withRecordIo(call -> false, call -> false)));
    router.add(TestEndpoint.of("/unnegotiated", Access.NONE, endpoint().acceptWhen(call -> false)));
    router.add(
        TestEndpoint.of(
            "/follower",
            Access.NONE,
            endpoint()
                .gate(
                    exchange ->
                        Optional.of(
                            org.mezzo.http.HttpResponse.status(307)
                                .with("Location", "//leader:5050" + exchange.pathAndQuery())))));
    router.add(
        TestEndpoint.of(
            "/records",
            Access.NONE,
            new CallEndpoint<>(
                    Call.getDefaultInstance(),
                    "master::Call",
                    workers,
                    (call, exchange) -> {
                      Following following = new Following(exchange);
                      exchange.<Call>records().follow(following);
                      followings.add(following);
                    })
                .validate(
                    call ->
                        call.hasType()
                            ? Optional.empty()
                            : Optional.of("Expecting 'type' to be present"))
                .withRecordIo(call -> true, call -> false)));
    server = new TestServer(router);
  }

  @AfterEach
  void close() {
    server.close();
    workers.close();
    loop.close();
  }

  private CallEndpoint<Call> endpoint() {
    return new CallEndpoint<>(Call.getDefaultInstance(), "master::Call", workers, this::handle)
        .validate(
            call ->
                call.hasType() ? Optional.empty() : Optional.of("Expecting 'type' to be present"));
  }

  private void handle(Call call, CallExchange exchange) {
    switch (call.getType()) {
      case GET_VERSION:
        loop.execute(
            () ->
                exchange.respond(
                    Response.newBuilder()
                        .setType(Response.Type.GET_VERSION)
                        .setGetVersion(
                            Response.GetVersion.newBuilder().setVersionInfo(Versions.info()))
                        .build()));
        break;
      case GET_HEALTH:
        exchange.accepted();
        break;
      case SUBSCRIBE:
        streams.add(
            exchange.<Event>stream(Map.of("Mesos-Stream-Id", "abc"), bound)
                .countCut(metrics.counter("cut")));
        break;
      default:
        throw new IllegalStateException("on purpose");
    }
  }

  @ParameterizedTest(name = "{0} {1} {2} {3} {4}")
  @CsvFileSource(
      resources = "/calls.tsv",
      delimiter = '\t',
      numLinesToSkip = 1,
      maxCharsPerColumn = 10_000)
  void answersAsClientsKnowIt(
      String path,
      String method,
      String contentType,
      String accept,
      String body,
      int status,
      String text)
      throws Exception {
    List<String> headers = new ArrayList<>();
    if (contentType != null) {
      headers.addAll(List.of("Content-Type", contentType));
    }
    if (accept != null) {
      headers.addAll(List.of("Accept", accept));
    }
    var answer =
        server.send(
            method,
            path,
            (body == null ? "" : body).getBytes(StandardCharsets.ISO_8859_1),
            headers.toArray(String[]::new));
    assertThat(answer.statusCode()).isEqualTo(status);
    if (text != null) {
      assertThat(answer.body()).startsWith(text);
    }
    if (status >= 400) {
      assertThat(answer.headers().firstValue("Content-Type")).contains("text/plain; charset=utf-8");
    }
    if (status == 405) {
      assertThat(answer.headers().firstValue("Allow")).contains("POST");
    }
  }

  @Test
  void answersInTheTypeThatIsAccepted() throws Exception {
    byte[] call = Call.newBuilder().setType(Call.Type.GET_VERSION).build().toByteArray();
    for (String accept : new String[] {"application/x-protobuf", "application/json"}) {
      HttpResponse<byte[]> answer =
          server
              .client()
              .send(
                  HttpRequest.newBuilder(server.uri("/master/api/v1"))
                      .header("Content-Type", "application/x-protobuf")
                      .header("Accept", accept)
                      .POST(HttpRequest.BodyPublishers.ofByteArray(call))
                      .build(),
                  HttpResponse.BodyHandlers.ofByteArray());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("Content-Type")).contains(accept);
      if (accept.endsWith("protobuf")) {
        assertThat(Response.parseFrom(answer.body()).getGetVersion().getVersionInfo().getVersion())
            .isEqualTo(Versions.MESOS);
      } else {
        assertThat(new String(answer.body(), StandardCharsets.UTF_8))
            .startsWith(
                "{\"type\":\"GET_VERSION\",\"get_version\":{\"version_info\":{\"version\":");
      }
    }
  }

  /**
   * Clients of Go send what they take of single answers, and behind it what of streams, as two
   * headers.
   */
  @ParameterizedTest
  @org.junit.jupiter.params.provider.CsvSource(
      delimiter = '|',
      value = {
        "application/json       | application/x-protobuf | HTTP/1.1 200 OK",
        "application/x-protobuf | application/json       | HTTP/1.1 200 OK",
        "application/x-protobuf | application/recordio   | HTTP/1.1 406 Not Acceptable",
        "application/json       | text/plain             | HTTP/1.1 200 OK",
      })
  void theLastOfSeveralAcceptHeadersDecides(String first, String last, String status)
      throws Exception {
    String body = "{\"type\":\"GET_VERSION\"}";
    try (Socket client = new Socket("127.0.0.1", server.uri("/").getPort())) {
      client
          .getOutputStream()
          .write(
              ("POST /agent HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: "
                      + first
                      + "\r\nAccept: "
                      + last
                      + "\r\nConnection: close\r\nContent-Length: "
                      + body.length()
                      + "\r\n\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII));
      String answer =
          new String(client.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      assertThat(answer).startsWith(status);
      if (status.contains("406")) {
        assertThat(answer).contains("Streaming response is not supported for GET_VERSION call");
      } else {
        assertThat(answer)
            .contains("Content-Type: " + (last.startsWith("application/") ? last : first));
      }
    }
  }

  @Test
  void redirectsBeforeItLooksAtAnythingElse() throws Exception {
    var answer = server.send("GET", "/follower?a=b", new byte[0]);
    assertThat(answer.statusCode()).isEqualTo(307);
    assertThat(answer.headers().firstValue("Location")).contains("//leader:5050/follower?a=b");
  }

  @Test
  void streamsEventsInOrder() throws Exception {
    var pending =
        server
            .client()
            .sendAsync(
                HttpRequest.newBuilder(server.uri("/api/v1"))
                    .header("Content-Type", "application/json")
                    .header("Accept", "application/x-protobuf")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"type\":\"SUBSCRIBE\"}"))
                    .build(),
                HttpResponse.BodyHandlers.ofInputStream());
    EventStream<Event> stream = streams.poll(60, TimeUnit.SECONDS);
    var answer = pending.get(60, TimeUnit.SECONDS);
    assertThat(answer.headers().firstValue("Mesos-Stream-Id")).contains("abc");
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/x-protobuf");
    BlockingQueue<Event> received = new LinkedBlockingQueue<>();
    int sent = 500;
    for (int i = 0; i < sent; i++) {
      assertThat(stream.send(Event.newBuilder().setType(Event.Type.forNumber(i % 9)).build()))
          .isTrue();
    }
    stream.end();
    assertThat(stream.send(Event.getDefaultInstance())).isFalse();
    var decoder =
        RecordIo.decoder(
            1 << 20,
            record -> {
              try {
                received.add(Event.parseFrom(record));
              } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                throw new IllegalStateException(e);
              }
            });
    decoder.feed(ByteBuffer.wrap(answer.body().readAllBytes()));
    assertThat(decoder.atBoundary()).isTrue();
    assertThat(received).hasSize(sent);
    assertThat(received)
        .extracting(event -> event.getType().getNumber())
        .startsWith(0, 1, 2, 3, 4, 5, 6, 7, 8, 0);
  }

  /** Takes what follows the first call; the next ones come when the test says so. */
  private final class Following implements CallRecords.Taker<Call> {
    private final CallExchange exchange;
    private final BlockingQueue<Call.Type> taken = new LinkedBlockingQueue<>();
    private final BlockingQueue<CompletableFuture<Void>> next = new LinkedBlockingQueue<>();

    Following(CallExchange exchange) {
      this.exchange = exchange;
    }

    @Override
    public CompletableFuture<Void> take(Call call) {
      taken.add(call.getType());
      CompletableFuture<Void> room = new CompletableFuture<>();
      next.add(room);
      return room;
    }

    @Override
    public void complete() {
      exchange.ok();
    }

    @Override
    public void failed(Throwable cause) {
      exchange.reject(400, "failed: " + cause.getMessage());
    }
  }

  private static byte[] record(String type) {
    return RecordIo.frame(("{\"type\":\"" + type + "\"}").getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] chunk(byte[]... parts) throws IOException {
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.write(part);
    }
    byte[] size = (Integer.toHexString(all.size()) + "\r\n").getBytes(StandardCharsets.US_ASCII);
    return java.nio.ByteBuffer.allocate(size.length + all.size() + 2)
        .put(size)
        .put(all.toByteArray())
        .put("\r\n".getBytes(StandardCharsets.US_ASCII))
        .array();
  }

  private static final String RECORDS_HEAD =
      "POST /records HTTP/1.1\r\nHost: x\r\nContent-Type: application/recordio\r\n"
          + "Message-Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

  /** Rule 19. */
  @Test
  void callsOfAStreamAreHandedOnOneAtATime() throws Exception {
    try (Socket client = new Socket("127.0.0.1", server.uri("/").getPort())) {
      var out = client.getOutputStream();
      byte[] cut = record("GET_FLAGS");
      out.write(RECORDS_HEAD.getBytes(StandardCharsets.US_ASCII));
      out.write(
          chunk(record("GET_VERSION"), record("GET_HEALTH"), java.util.Arrays.copyOf(cut, 10)));
      Following following = followings.poll(60, TimeUnit.SECONDS);
      assertThat(following.taken.poll(60, TimeUnit.SECONDS)).isEqualTo(Call.Type.GET_HEALTH);
      out.write(chunk(java.util.Arrays.copyOfRange(cut, 10, cut.length), record("GET_ROLES")));
      out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(following.taken).isEmpty();
      following.next.take().complete(null);
      assertThat(following.taken.poll(60, TimeUnit.SECONDS)).isEqualTo(Call.Type.GET_FLAGS);
      following.next.take().complete(null);
      assertThat(following.taken.poll(60, TimeUnit.SECONDS)).isEqualTo(Call.Type.GET_ROLES);
      following.next.take().complete(null);
      assertThat(statusLine(client.getInputStream())).isEqualTo("HTTP/1.1 200 OK");
    }
  }

  private static String statusLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int read = in.read(); read >= 0 && read != '\r'; read = in.read()) {
      line.append((char) read);
    }
    return line.toString();
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.CsvSource(
      delimiter = '|',
      value = {
        "application/recordio | application/json | 26;{ | 400 Failed to read the stream: expecting"
            + " the decimal",
        "application/recordio | application/json | 2;{} | 400 Failed to validate master::Call:"
            + " Expecting 'type' to be present",
        "application/recordio | application/json | 1;{ | 400 Failed to parse body into JSON",
        "application/recordio | application/json | 5;{ | 400 Failed to read the stream: a record is"
            + " cut off",
        "application/recordio | application/json | '' | 400 Failed to read the stream: the stream"
            + " ended before its first record",
        "application/recordio | application/json | 99999999; | 400 Failed to read the stream: a"
            + " record of 99999999 bytes",
        "application/recordio | text/plain | 2;{} | 415 Expecting 'Message-Content-Type' of"
            + " application/json or application/x-protobuf",
        "application/recordio | '' | 2;{} | 415 Expecting 'Message-Content-Type' of"
            + " application/json or",
        "application/json | application/json | 2;{} | 415 Expecting 'Message-Content-Type' to be"
            + " not set for non-streaming requests",
        "application/json | | {\"type\":\"GET_HEALTH\"} | 415 Expecting 'Content-Type' to be"
            + " application/recordio for GET_HEALTH call",
      })
  void aStreamThatCannotBeReadIsRefused(String type, String messages, String body, String answer)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.uri("/records"))
            .header("Content-Type", type)
            .POST(
                HttpRequest.BodyPublishers.ofString(body.replace("26;", "26x").replace(';', '\n')));
    if (messages != null) {
      request.header("Message-Content-Type", messages);
    }
    HttpResponse<String> refused =
        server.client().send(request.build(), HttpResponse.BodyHandlers.ofString());
    assertThat(refused.statusCode() + " " + refused.body()).startsWith(answer);
  }

  @Test
  void aClientThatDoesNotReadIsCutAndCounted() throws Exception {
    bound = new StreamBound(1 << 20, 64 << 20, Duration.ofMillis(300));
    try (Socket client = new Socket("127.0.0.1", server.uri("/").getPort())) {
      String body = "{\"type\":\"SUBSCRIBE\"}";
      client
          .getOutputStream()
          .write(
              ("POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      + "Content-Length: "
                      + body.length()
                      + "\r\n\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII));
      EventStream<Event> stream = streams.poll(60, TimeUnit.SECONDS);
      Event.Builder large = Event.newBuilder().setType(Event.Type.AGENT_REMOVED);
      large.getAgentRemovedBuilder().getAgentIdBuilder().setValue("x".repeat(24 << 20));
      assertThat(stream.send(large.build())).isTrue();
      stream.heartbeat(
          loop,
          Duration.ofMillis(20),
          Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build()));
      BlockingQueue<Throwable> gone = new LinkedBlockingQueue<>();
      stream.onClosed(gone::add);
      assertThat(gone.poll(60, TimeUnit.SECONDS)).isInstanceOf(SlowClientException.class);
      // Whoever counts may be told later than the test.
      Await.until("the cut is counted", () -> metrics.snapshot().get("cut") == 1.0);
    }
  }

  @Test
  void beatsUntilTheClientLeaves() throws Exception {
    var pending =
        server
            .client()
            .sendAsync(
                HttpRequest.newBuilder(server.uri("/api/v1"))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"type\":\"SUBSCRIBE\"}"))
                    .build(),
                HttpResponse.BodyHandlers.ofInputStream());
    EventStream<Event> stream = streams.poll(60, TimeUnit.SECONDS);
    BlockingQueue<Boolean> gone = new LinkedBlockingQueue<>();
    stream.onClosed(cause -> gone.add(cause != null));
    stream.heartbeat(
        loop,
        Duration.ofMillis(5),
        Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build()));
    try (var in = pending.get(60, TimeUnit.SECONDS).body()) {
      String beat = "20\n{\"type\":\"HEARTBEAT\"}";
      assertThat(new String(in.readNBytes(3 * beat.length()), StandardCharsets.UTF_8))
          .isEqualTo(beat.repeat(3));
    }
    assertThat(gone.poll(60, TimeUnit.SECONDS)).isTrue();
    assertThat(stream.closed()).isTrue();
    assertThat(stream.send(Event.getDefaultInstance())).isFalse();
  }

  /** As by pollers of a large state: every reader is at work and more reads wait. */
  @Test
  void busyReadersHoldUpNeitherAnswersNorEvents() throws Exception {
    CountDownLatch reading = new CountDownLatch(READERS);
    CountDownLatch over = new CountDownLatch(1);
    try {
      for (int i = 0; i < 5 * READERS; i++) {
        workers.execute(
            () -> {
              reading.countDown();
              try {
                over.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
      }
      assertThat(reading.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(post("{\"type\":\"GET_HEALTH\"}").get(60, TimeUnit.SECONDS).statusCode())
          .isEqualTo(202);
      assertThat(post("{\"type\":\"GET_VERSION\"}").get(60, TimeUnit.SECONDS).statusCode())
          .isEqualTo(200);
      var pending = post("{\"type\":\"SUBSCRIBE\"}");
      EventStream<Event> stream = streams.poll(60, TimeUnit.SECONDS);
      stream.send(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());
      try (InputStream in = pending.get(60, TimeUnit.SECONDS).body()) {
        String beat = "20\n{\"type\":\"HEARTBEAT\"}";
        var read =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return new String(in.readNBytes(beat.length()), StandardCharsets.UTF_8);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
        assertThat(read.get(60, TimeUnit.SECONDS)).isEqualTo(beat);
      }
    } finally {
      over.countDown();
    }
  }

  private CompletableFuture<HttpResponse<InputStream>> post(String call) {
    return server
        .client()
        .sendAsync(
            HttpRequest.newBuilder(server.uri("/api/v1"))
                .header("Content-Type", "application/json")
                .header("Accept", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(call))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
  }

  @Test
  void aRecordIsItsLengthAndTheMessage() {
    var message = Event.newBuilder().setType(Event.Type.HEARTBEAT).build();
    assertThat(Encoded.of(message).record(ContentType.PROTOBUF))
        .isEqualTo(RecordIo.frame(message.toByteArray()));
    assertThat(new String(Encoded.of(message).record(ContentType.JSON), StandardCharsets.UTF_8))
        .isEqualTo("20\n{\"type\":\"HEARTBEAT\"}");
  }

  @Test
  void encodesOneEventOnceForEachType() {
    var event = Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());
    assertThat(event.record(ContentType.JSON)).isSameAs(event.record(ContentType.JSON));
    assertThat(event.record(ContentType.PROTOBUF)).isSameAs(event.record(ContentType.PROTOBUF));
    assertThat(event.record(ContentType.JSON)).isNotEqualTo(event.record(ContentType.PROTOBUF));
  }
}
