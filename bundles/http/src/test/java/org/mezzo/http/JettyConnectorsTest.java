package org.mezzo.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JettyConnectorsTest {
  private static final StreamBound BOUND =
      new StreamBound(100_000, 10_000_000, Duration.ofSeconds(3));
  private static final StreamBound PATIENT_BOUND =
      new StreamBound(100_000, 10_000_000, Duration.ofMinutes(5));

  /** Longer than any machine needs to send a request once it has connected. */
  private static final Duration SHORT_IDLE = Duration.ofSeconds(2);

  private static final byte[] SNAPSHOT = "#".repeat(24_000_000).getBytes(StandardCharsets.US_ASCII);
  private static final byte[] BEAT = "$".repeat(20).getBytes(StandardCharsets.US_ASCII);

  private static final int BEATS = 100;

  private static final String LARGE = "x".repeat(4096);

  private final BlockingQueue<ResponseStream> streams = new LinkedBlockingQueue<>();
  private final BlockingQueue<Optional<Throwable>> closed = new LinkedBlockingQueue<>();
  private HttpConnector connector;

  @BeforeEach
  void open() throws IOException {
    connector = open(Duration.ofSeconds(30));
  }

  private HttpConnector open(Duration idle) throws IOException {
    return new JettyConnectors()
        .open(
            new ConnectorOptions(
                "test", InetAddress.getLoopbackAddress(), 0, Optional.empty(), 16, idle),
            this::handle);
  }

  @AfterEach
  void close() {
    connector.close();
  }

  private void handle(HttpExchange exchange) throws Exception {
    switch (exchange.path()) {
      case "/type":
        exchange.respond(HttpResponse.text(200, exchange.header("content-type").orElse("none")));
        break;
      case "/late":
        CompletableFuture.delayedExecutor(2 * SHORT_IDLE.toMillis(), TimeUnit.MILLISECONDS)
            .execute(() -> exchange.respond(HttpResponse.text(200, "late answer")));
        break;
      case "/hello":
        exchange.respond(HttpResponse.text(200, "hello"));
        break;
      case "/large":
        exchange.respond(HttpResponse.text(200, LARGE));
        break;
      case "/echo":
        exchange
            .body(1000)
            .whenComplete(
                (body, failure) ->
                    exchange.respond(
                        failure == null
                            ? HttpResponse.text(200, new String(body, StandardCharsets.UTF_8))
                            : HttpResponse.text(
                                failure instanceof BodyTooLargeException ? 413 : 400,
                                failure.getMessage())));
        break;
      case "/query":
        exchange.respond(HttpResponse.text(200, exchange.query() + " " + exchange.pathAndQuery()));
        break;
      case "/fail":
        throw new IllegalStateException("on purpose");
      case "/stream":
        ResponseStream stream =
            exchange.stream(200, Map.of("Content-Type", "application/json"), 1 << 20);
        stream.onClosed(cause -> closed.add(Optional.ofNullable(cause)));
        streams.add(stream);
        break;
      case "/bounded":
      case "/patient":
        ResponseStream bounded =
            exchange.stream(
                200, Map.of(), exchange.path().equals("/patient") ? PATIENT_BOUND : BOUND);
        bounded.onClosed(cause -> closed.add(Optional.ofNullable(cause)));
        streams.add(bounded);
        break;
      case "/post-stream":
        exchange.body(1000).thenAccept(body -> streams.add(exchange.stream(200, Map.of(), 1000)));
        break;
      default:
        exchange.respond(HttpResponse.text(404, "404 Not Found."));
    }
  }

  private RawClient raw() throws IOException {
    return new RawClient(connector.address());
  }

  private ResponseStream nextStream() throws InterruptedException {
    return streams.poll(60, TimeUnit.SECONDS);
  }

  @Test
  void aSlowReaderGetsWhatIsLargerThanTheBoundAndWhatComesBehind() throws Exception {
    try (RawClient client = raw()) {
      client.socket().setReceiveBufferSize(64 * 1024);
      client.send("GET /bounded HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      ResponseStream stream = nextStream();
      assertThat(stream.write(SNAPSHOT)).isTrue();
      var beats =
          CompletableFuture.supplyAsync(
              () -> {
                int sent = 0;
                while (sent < BEATS && stream.write(BEAT)) {
                  sent++;
                  pause(10);
                }
                stream.end();
                return sent;
              });
      byte[] buffer = new byte[64 * 1024];
      long large = 0;
      long small = 0;
      long began = System.nanoTime();
      int count;
      while ((count = client.socket().getInputStream().read(buffer)) >= 0) {
        for (int i = 0; i < count; i++) {
          large += buffer[i] == SNAPSHOT[0] ? 1 : 0;
          small += buffer[i] == BEAT[0] ? 1 : 0;
        }
        pause(12);
      }
      assertThat(System.nanoTime() - began)
          .as("how long all of it took")
          .isGreaterThan(BOUND.patience().toNanos());
      assertThat(large).isEqualTo(SNAPSHOT.length);
      assertThat(beats.get(60, TimeUnit.SECONDS)).isEqualTo(BEATS);
      assertThat(small).isEqualTo((long) BEATS * BEAT.length);
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isEmpty();
    }
  }

  /** As a client that sends head and body one after the other, and is refused by the head alone. */
  @Test
  void whoIsAnsweredBeforeItHasSentEverythingGoesOnOnItsConnection() throws Exception {
    try (RawClient client = raw()) {
      for (int i = 0; i < 3; i++) {
        client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
        pause(50);
        client.send("body");
        assertThat(client.readUntil("hello")).startsWith("HTTP/1.1 200").doesNotContain("close");
      }
    }
  }

  @Test
  void whoNeverSendsEverythingIsAnsweredAndToldThatTheConnectionEnds() throws Exception {
    try (RawClient client = raw()) {
      client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
      assertThat(client.readAll())
          .startsWith("HTTP/1.1 200")
          .contains("Connection: close")
          .endsWith("hello");
    }
  }

  @Test
  void aClientThatReadsNothingIsCutWhenPatienceEnds() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /bounded HTTP/1.1\r\nHost: x\r\n\r\n");
      ResponseStream stream = nextStream();
      long began = System.nanoTime();
      assertThat(stream.write(SNAPSHOT)).isTrue();
      while (stream.write(BEAT)) {
        pause(10);
      }
      assertThat(System.nanoTime() - began).isGreaterThan(BOUND.patience().toNanos());
      assertThat(closed.poll(60, TimeUnit.SECONDS).orElseThrow())
          .isInstanceOf(SlowClientException.class)
          .hasMessageContaining("does not read");
      assertThat(stream.write(BEAT)).isFalse();
    }
  }

  @Test
  void whatWaitsBehindTheMessageBeingSentIsBounded() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /patient HTTP/1.1\r\nHost: x\r\n\r\n");
      ResponseStream stream = nextStream();
      assertThat(stream.write(SNAPSHOT)).isTrue();
      // One of any size fits; what goes beyond the most does not.
      assertThat(stream.write(SNAPSHOT)).isTrue();
      assertThat(stream.queuedBytes()).isEqualTo(SNAPSHOT.length);
      assertThat(stream.write(BEAT)).isFalse();
      assertThat(closed.poll(60, TimeUnit.SECONDS).orElseThrow())
          .isInstanceOf(SlowClientException.class)
          .hasMessageContaining("too slowly");
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void answersWithFewHeaders() throws Exception {
    try (RawClient client = raw()) {
      String answer = client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("hello");
      assertThat(answer)
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("Content-Type: text/plain; charset=utf-8", "Content-Length: 5", "Date: ")
          .doesNotContain("Server:");
      assertThat(answer.split("\r\n\r\n")[0].split("\r\n")).hasSize(4);
    }
  }

  @Test
  void understandsAbsoluteTargetsAndHeaderNamesInAnyCase() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET http://other:1/hello HTTP/1.1\r\nhost: other:1\r\n\r\n");
      assertThat(client.readUntil("hello")).startsWith("HTTP/1.1 200");
      client.send("GET http://other:1/hello HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(client.readUntil("hello")).startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void handsHeaderValuesOnAsTheyCame() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /type HTTP/1.1\r\nHost: x\r\nCONTENT-TYPE: Application/JSON\r\n\r\n");
      assertThat(client.readUntil("JSON")).endsWith("Application/JSON");
    }
  }

  @Test
  void answersPipelinedRequestsInOrder() throws Exception {
    try (RawClient client = raw()) {
      client.send(
          "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
              + "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
              + "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(client.readUntil("404 Not Found.")).containsSubsequence("hello", "abc", "404");
    }
  }

  @Test
  void answersHeadWithoutBodyAndOldHttpWithClosing() throws Exception {
    try (RawClient client = raw()) {
      client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(client.readUntil("404 Not Found."))
          .contains("Content-Length: 5")
          .doesNotContain("hello");
    }
    try (RawClient client = raw()) {
      assertThat(client.send("GET /hello HTTP/1.0\r\n\r\n").readAll())
          .startsWith("HTTP/1.1 200")
          .endsWith("hello");
    }
  }

  @Test
  void answersMalformedRequestsWithOneLine() throws Exception {
    for (String bad :
        new String[] {
          "garbage\r\n\r\n",
          "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
          "GET /hello HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
          "GET /hello HTTP/1.1\r\n\r\n",
          "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET /hello HTTP/1.1\r\nHost: x[{{\"\r\nConnection: close\r\n\r\n",
        }) {
      try (RawClient client = raw()) {
        assertThat(client.send(bad).readAll())
            .as(bad)
            .startsWith("HTTP/1.1 400 ")
            .contains("text/plain; charset=utf-8")
            .contains("400 Bad Request.")
            .doesNotContain("<html");
      }
    }
  }

  @Test
  void takesHeadersOf80KilobytesAndNamesTheLimitAboveIt() throws Exception {
    String head = "GET /hello HTTP/1.1\r\nHost: x\r\nX: ";
    String ending = "\r\n\r\n";
    String fitting = "y".repeat(80 * 1024 - head.length() - ending.length());
    try (RawClient client = raw()) {
      assertThat(client.send(head + fitting + ending).readUntil("hello"))
          .startsWith("HTTP/1.1 200 ");
    }
    try (RawClient client = raw()) {
      String answer = client.send(head + fitting + "yy" + ending).readAll();
      assertThat(answer)
          .startsWith("HTTP/1.1 431 ")
          .contains("text/plain; charset=utf-8")
          .contains(
              "431 Request Header Fields Too Large. The request line and the headers together")
          .contains("81920 bytes");
    }
    try (RawClient client = raw()) {
      String many = "Cookie: " + "z".repeat(4000) + "\r\n";
      assertThat(
              client
                  .send("GET /hello HTTP/1.1\r\nHost: x\r\n" + many.repeat(30) + "\r\n")
                  .readAll())
          .startsWith("HTTP/1.1 431 ");
    }
    try (RawClient client = raw()) {
      String line = "GET /hello?" + "q".repeat(90_000) + " HTTP/1.1\r\nHost: x\r\n\r\n";
      assertThat(client.send(line).readAll()).startsWith("HTTP/1.1 414 ").contains("81920 bytes");
    }
  }

  @Test
  void takesAsManyHeadersOverHttp2() throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
    assertThat(
            client
                .send(HttpRequest.newBuilder(uri("/hello")).build(), BodyHandlers.ofString())
                .version())
        .isEqualTo(HttpClient.Version.HTTP_2);
    var answer =
        client.send(
            HttpRequest.newBuilder(uri("/hello")).header("X", "y".repeat(79 * 1024)).build(),
            BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
    var refused =
        client.send(
            HttpRequest.newBuilder(uri("/hello")).header("X", "y".repeat(90_000)).build(),
            BodyHandlers.ofString());
    assertThat(refused.statusCode()).isEqualTo(431);
  }

  /** What {@code java.net.http} does unless it is told otherwise: it offers the upgrade always. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void answersBodiesThatComeWithAnOfferToUpgrade(boolean lengthKnown) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    byte[] text = "a body".getBytes(StandardCharsets.UTF_8);
    Supplier<HttpRequest.BodyPublisher> body =
        () ->
            lengthKnown
                ? BodyPublishers.ofByteArray(text)
                : BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(text));
    for (int i = 0; i < 3; i++) {
      var answer =
          client.send(
              HttpRequest.newBuilder(uri("/echo")).POST(body.get()).build(),
              BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).isEqualTo("a body");
    }
    var streamed =
        client.sendAsync(
            HttpRequest.newBuilder(uri("/post-stream")).POST(body.get()).build(),
            BodyHandlers.ofInputStream());
    ResponseStream stream = nextStream();
    stream.write("abc".getBytes(StandardCharsets.UTF_8));
    try (var in = streamed.get(60, TimeUnit.SECONDS).body()) {
      assertThat(in.readNBytes(3)).asString().isEqualTo("abc");
      stream.write("def".getBytes(StandardCharsets.UTF_8));
      assertThat(in.readNBytes(3)).asString().isEqualTo("def");
    }
  }

  @Test
  void ignoresAnOfferToUpgradeThatComesWithChunks() throws Exception {
    String offer =
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            + "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n";
    try (RawClient client = raw()) {
      client.send(offer + "3\r\nabc\r\n0\r\n\r\n");
      assertThat(client.readUntil("abc")).startsWith("HTTP/1.1 200 ");
      // The connection goes on as it was, also for chunks that come later than their headers.
      client.send(offer);
      client.send("3\r\ndef\r\n0\r\n\r\n");
      assertThat(client.readUntil("def")).startsWith("HTTP/1.1 200 ");
    }
  }

  @Test
  void findsNothingBehindEncodedSlashesAndDots() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /a%2Fhello HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(client.readUntil("Found.")).contains("404");
      client.send("GET /a/../hello HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(client.readUntil("hello")).contains("200");
    }
  }

  @Test
  void readsChunkedAndCompressedBodies() throws Exception {
    try (RawClient client = raw()) {
      client.send(
          "POST /echo HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
      client.send("2\r\nde\r\n0\r\n\r\n");
      assertThat(client.readUntil("abcde")).contains("200 OK");
    }
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write("zip".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(post("/echo", zipped.toByteArray(), "Content-Encoding", "gzip").body())
        .isEqualTo("zip");
    assertThat(post("/echo", new byte[] {1, 2}, "Content-Encoding", "gzip").statusCode())
        .isEqualTo(400);
  }

  @Test
  void refusesBodiesBeyondTheirLimit() throws Exception {
    assertThat(post("/echo", new byte[1001], "X", "y").statusCode()).isEqualTo(413);
    try (RawClient client = raw()) {
      client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      client.send("3e9\r\n" + "z".repeat(1001) + "\r\n");
      assertThat(client.readUntil("\r\n")).contains("413");
    }
  }

  @Test
  void continuesWhenAsked() throws Exception {
    try (RawClient client = raw()) {
      client.send(
          "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
      assertThat(client.readUntil("\r\n\r\n")).contains("100 Continue");
      assertThat(client.send("ok").readUntil("ok")).contains("200 OK");
    }
  }

  private java.net.http.HttpResponse<String> post(
      String path, byte[] body, String name, String value) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(uri(path))
                .header(name, value)
                .POST(BodyPublishers.ofByteArray(body))
                .build(),
            BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return URI.create(
        "http://"
            + connector.address().getHostString()
            + ":"
            + connector.address().getPort()
            + path);
  }

  @Test
  void compressesLargeAnswersWhenTheClientAllows() throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    var zipped =
        client.send(
            HttpRequest.newBuilder(uri("/large")).header("Accept-Encoding", "gzip").build(),
            BodyHandlers.ofByteArray());
    assertThat(zipped.headers().firstValue("Content-Encoding")).contains("gzip");
    assertThat(zipped.headers().allValues("Vary")).containsExactly("Accept-Encoding");
    assertThat(new GZIPInputStream(new ByteArrayInputStream(zipped.body())).readAllBytes())
        .isEqualTo(LARGE.getBytes(StandardCharsets.UTF_8));
    for (String[] plain :
        new String[][] {{"/large", "gzip;q=0"}, {"/large", "br"}, {"/hello", "gzip"}}) {
      var answer =
          client.send(
              HttpRequest.newBuilder(uri(plain[0])).header("Accept-Encoding", plain[1]).build(),
              BodyHandlers.ofString());
      assertThat(answer.headers().firstValue("Content-Encoding")).isEmpty();
      // What is too short to be compressed is the same for everybody.
      assertThat(answer.headers().firstValue("Vary").isPresent())
          .isEqualTo(plain[0].equals("/large"));
    }
  }

  @Test
  void decodesQueries() throws Exception {
    var answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(uri("/query?a=1%202&b=x+y&a=z")).build(),
                BodyHandlers.ofString());
    assertThat(answer.body()).isEqualTo("{a=1 2, b=x y} /query?a=1%202&b=x+y&a=z");
  }

  @Test
  void answersAFailingHandlerWith500() throws Exception {
    assertThat(post("/fail", new byte[0], "X", "y").statusCode()).isEqualTo(500);
  }

  @Test
  void streamsInChunksAtOnceAndKeepsTheConnection() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
      ResponseStream stream = nextStream();
      String head = client.readUntil("\r\n\r\n");
      assertThat(head).contains("Transfer-Encoding: chunked").doesNotContain("Content-Encoding");
      assertThat(stream.write("one".getBytes(StandardCharsets.UTF_8))).isTrue();
      // The line end comes with the chunk: clients wait for it before they hand the chunk on.
      assertThat(client.readUntil("one\r\n")).isEqualTo("3\r\none\r\n");
      stream.write("two".getBytes(StandardCharsets.UTF_8));
      assertThat(client.readUntil("two\r\n")).isEqualTo("3\r\ntwo\r\n");
      stream.end();
      assertThat(client.readUntil("0\r\n\r\n")).isEqualTo("0\r\n\r\n");
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isEqualTo(Optional.empty());
      assertThat(stream.write(new byte[1])).isFalse();
      assertThat(client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("hello"))
          .contains("200 OK");
    }
  }

  /** Clients take a chunk for a message, also of those that waited for one another. */
  @Test
  void eachMessageIsAChunk() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
      ResponseStream stream = nextStream();
      client.readUntil("\r\n\r\n");
      // More than a connection takes by itself.
      int large = 32 << 20;
      List<Integer> sizes = new ArrayList<>(List.of(large));
      stream.write(new byte[large]);
      for (int size : new int[] {3, 1, 17, 300_000, 70_000, 70_000, 70_000, 70_000, 5}) {
        stream.write(new byte[size]);
        sizes.add(size);
      }
      stream.end();
      List<Integer> chunks = new ArrayList<>();
      for (int size = chunk(client); size > 0; size = chunk(client)) {
        chunks.add(size);
        client.skip(size);
        assertThat(client.readUntil("\r\n")).isEqualTo("\r\n");
      }
      assertThat(chunks).isEqualTo(sizes);
      assertThat(client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("hello"))
          .contains("200 OK");
    }
  }

  private static int chunk(RawClient client) throws IOException {
    return Integer.parseInt(client.readUntil("\r\n").strip(), 16);
  }

  @Test
  void tellsWhenWhatWasWrittenIsTaken() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
      ResponseStream stream = nextStream();
      CompletableFuture<Void> nothing = new CompletableFuture<>();
      stream.whenTaken(() -> nothing.complete(null));
      nothing.get(60, TimeUnit.SECONDS);
      // More than a connection takes by itself.
      stream.write(new byte[32 << 20]);
      CompletableFuture<Void> taken = new CompletableFuture<>();
      stream.whenTaken(() -> taken.complete(null));
      assertThat(taken).isNotDone();
      stream.write("last".getBytes(StandardCharsets.UTF_8));
      client.readUntil("last\r\n");
      taken.get(60, TimeUnit.SECONDS);
      stream.write(new byte[32 << 20]);
      CompletableFuture<Void> never = new CompletableFuture<>();
      stream.whenTaken(() -> never.complete(null));
      stream.abort();
      never.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void keepsARequestThatIsSentBehindAStream() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
      ResponseStream stream = nextStream();
      client.readUntil("\r\n\r\n");
      client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      stream.write("one".getBytes(StandardCharsets.UTF_8));
      client.readUntil("one");
      stream.end();
      assertThat(client.readUntil("hello")).contains("0\r\n\r\nHTTP/1.1 200");
    }
  }

  @Test
  void streamsChunkedToClientsThatWillClose() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\nconnection: close\r\n\r\n");
      ResponseStream stream = nextStream();
      assertThat(client.readUntil("\r\n\r\n")).contains("Transfer-Encoding: chunked");
      stream.write("one".getBytes(StandardCharsets.UTF_8));
      stream.end();
      assertThat(client.readAll()).isEqualTo("3\r\none\r\n0\r\n\r\n");
    }
  }

  @Test
  void noticesAClientThatLeavesAnIdleStream() throws Exception {
    for (String request :
        new String[] {
          "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "POST /post-stream HTTP/1.1\r\n"
              + "Host: x\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n"
              + "2\r\n"
              + "ab\r\n"
              + "0\r\n\r\n"
        }) {
      CompletableFuture<Throwable> gone = new CompletableFuture<>();
      try (RawClient client = raw()) {
        client.send(request);
        nextStream().onClosed(gone::complete);
        client.readUntil("\r\n\r\n");
        assertThat(gone).isNotDone();
      }
      assertThat(gone.get(60, TimeUnit.SECONDS)).isNotNull();
    }
  }

  @Test
  void noticesAClientThatResetsAnIdleStream() throws Exception {
    RawClient client = raw();
    client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
    client.socket().setSoLinger(true, 0);
    client.close();
    assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
  }

  @Test
  void abortsAStream() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
      nextStream().abort();
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
      assertThatThrownBy(() -> client.readUntil("never")).isInstanceOf(IOException.class);
    }
  }

  @Test
  void cutsAClientThatDoesNotRead() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
      ResponseStream stream = nextStream();
      byte[] piece = new byte[64 * 1024];
      int written = 0;
      while (stream.write(piece)) {
        written += piece.length;
        assertThat(written).isLessThan(1 << 30);
      }
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
    }
  }

  @Test
  void passesASingleRecordBeyondTheBound() throws Exception {
    try (RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
      ResponseStream stream = nextStream();
      assertThat(stream.write(new byte[3 << 20])).isTrue();
      stream.end();
      assertThat(client.readUntil("\r\n0\r\n\r\n")).hasSizeGreaterThan(3 << 20);
    }
  }

  @Test
  void letsStreamsBeSilentBeyondTheIdleTimeout() throws Exception {
    connector.close();
    connector = open(SHORT_IDLE);
    try (RawClient idle = raw();
        RawClient client = raw()) {
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
      ResponseStream stream = nextStream();
      assertThat(idle.send("GET /hel").readAll())
          .satisfiesAnyOf(
              text -> assertThat(text).isEmpty(), text -> assertThat(text).contains("408"));
      assertThat(closed.poll(500, TimeUnit.MILLISECONDS)).isNull();
      assertThat(stream.write("late".getBytes(StandardCharsets.UTF_8))).isTrue();
      assertThat(client.readUntil("late")).endsWith("late");
    }
    assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
  }

  @Test
  void waitsForAnAnswerBeyondTheIdleTimeout() throws Exception {
    connector.close();
    connector = open(SHORT_IDLE);
    try (RawClient client = raw()) {
      client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(client.readUntil("late answer")).startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void servesHttp2ByUpgrade() throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
    for (int i = 0; i < 3; i++) {
      var answer =
          client.send(HttpRequest.newBuilder(uri("/hello")).build(), BodyHandlers.ofString());
      assertThat(answer.body()).isEqualTo("hello");
      assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
    }
    var stream =
        client.sendAsync(
            HttpRequest.newBuilder(uri("/stream")).build(), BodyHandlers.ofInputStream());
    ResponseStream answer = nextStream();
    answer.write("abc".getBytes(StandardCharsets.UTF_8));
    try (var in = stream.get(60, TimeUnit.SECONDS).body()) {
      assertThat(in.readNBytes(3)).asString().isEqualTo("abc");
    }
    assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
  }

  @Test
  void receivesABodyPieceByPiece() throws Exception {
    connector.close();
    BlockingQueue<String> pieces = new LinkedBlockingQueue<>();
    connector =
        new JettyConnectors()
            .open(
                new ConnectorOptions(
                    "test",
                    InetAddress.getLoopbackAddress(),
                    0,
                    Optional.empty(),
                    8,
                    Duration.ofSeconds(30)),
                exchange ->
                    exchange.receive(
                        new BodyListener() {
                          @Override
                          public void bytes(ByteBuffer bytes) {
                            pieces.add(StandardCharsets.UTF_8.decode(bytes).toString());
                          }

                          @Override
                          public void complete() {
                            exchange.respond(HttpResponse.text(200, "done"));
                          }

                          @Override
                          public void failed(Throwable cause) {
                            pieces.add("failed");
                          }
                        }));
    try (RawClient client = raw()) {
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
      assertThat(pieces.poll(60, TimeUnit.SECONDS)).isEqualTo("one");
      client.send("3\r\ntwo\r\n0\r\n\r\n");
      assertThat(client.readUntil("done")).contains("200");
      assertThat(pieces.poll(60, TimeUnit.SECONDS)).isEqualTo("two");
    }
    try (RawClient client = raw()) {
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
      assertThat(pieces.poll(60, TimeUnit.SECONDS)).isEqualTo("one");
    }
    assertThat(pieces.poll(60, TimeUnit.SECONDS)).isEqualTo("failed");
  }

  @Test
  void namesTheAddressThatIsTaken() {
    assertThatThrownBy(
            () ->
                new JettyConnectors()
                    .open(
                        new ConnectorOptions(
                            "second",
                            InetAddress.getLoopbackAddress(),
                            connector.address().getPort(),
                            Optional.empty(),
                            8,
                            Duration.ofSeconds(30)),
                        exchange -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("127.0.0.1:" + connector.address().getPort());
  }
}
