package org.mezzo.fetcher.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Uris;
import org.mezzo.testing.FakeDaemonContext;

class WebFetcherTest {
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofSeconds(5);

  @TempDir Path sandbox;
  private final CountDownLatch testEnded = new CountDownLatch(1);
  private final List<String> progress = new CopyOnWriteArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final WebFetcher fetcher = new WebFetcher();
  private HttpServer server;
  private String base;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
    base = "127.0.0.1:" + server.getAddress().getPort();
    fetcher.open(FakeDaemonContext.agent());
  }

  @AfterEach
  void stop() {
    testEnded.countDown();
    fetcher.close();
    server.stop(0);
    threads.shutdownNow();
  }

  @Test
  void fetchesOverHttp() throws Exception {
    serve("/big", randomBytes());
    fetch("http://" + base + "/big?token=secret", PATIENT);
    assertThat(sandbox.resolve("target")).hasBinaryContent(randomBytes());
    assertThat(Files.getPosixFilePermissions(sandbox.resolve("target")))
        .containsAll(PosixFilePermissions.fromString("rw-------"));
    assertThat(progress)
        .containsExactly(
            "Downloaded 'http://" + base + "/big?...': " + randomBytes().length + " bytes");
    assertOnlyTarget();
  }

  @Test
  void fetchesAnEmptyFileAndOneOfUnknownLength() throws Exception {
    serve("/empty", new byte[0]);
    fetch("http://" + base + "/empty", PATIENT);
    assertThat(sandbox.resolve("target")).isEmptyFile();
    handle(
        "/chunked",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write("in pieces".getBytes(StandardCharsets.UTF_8));
        });
    fetch("http://" + base + "/chunked", PATIENT);
    assertThat(sandbox.resolve("target")).hasContent("in pieces");
  }

  @Test
  void followsRedirects() throws Exception {
    serve("/data/end", "there".getBytes(StandardCharsets.UTF_8));
    redirect("/start", 302, "/data/middle");
    redirect("/data/middle", 307, "end");
    fetch("http://" + base + "/start", PATIENT);
    assertThat(sandbox.resolve("target")).hasContent("there");
    assertThat(progress).contains("Redirected to 'http://" + base + "/data/end'");
    assertThat(fetcher.describe(URI.create("http://" + base + "/start")).size()).contains(5L);
  }

  /** What curl passes on and java.net.URI refuses. */
  @Test
  void passesOnWhatACarelessServerRedirectsTo() throws Exception {
    byte[] body = "there".getBytes(StandardCharsets.UTF_8);
    List<String> seen = new CopyOnWriteArrayList<>();
    handle(
        "/end",
        exchange -> {
          seen.add(exchange.getRequestURI().toString());
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
        });
    // The server writes the low byte of each character, so this is UTF-8 as it is.
    String utf8 =
        new String("\u00e9".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    redirect("/start", 302, "/end/ a|b{c}[d]^`<e>\"f\\g%h%41" + utf8 + "?q=x y|z#part");
    fetch("http://" + base + "/start", PATIENT);
    assertThat(sandbox.resolve("target")).hasContent("there");
    assertThat(seen)
        .containsExactly(
            "/end/%20a%7Cb%7Bc%7D%5Bd%5D%5E%60%3Ce%3E%22f%5Cg%25h%41%C3%A9?q=x%20y%7Cz");
  }

  @Test
  void refusesARedirectThatCarriesAControlCharacter() {
    redirect("/start", 302, "http://" + base + "/a\u0001b");
    refused("http://" + base + "/start", PATIENT, "malformed", "control character");
  }

  @Test
  void aHostMayHaveAnUnderscore() throws Exception {
    List<String> seen = new CopyOnWriteArrayList<>();
    handle(
        "/",
        exchange -> {
          seen.add(
              exchange.getRequestHeaders().getFirst("Host")
                  + " "
                  + exchange.getRequestHeaders().getFirst("Authorization")
                  + " "
                  + exchange.getRequestURI());
          exchange.sendResponseHeaders(200, -1);
        });
    int port = server.getAddress().getPort();
    DnsResolver loopback =
        new DnsResolver() {
          @Override
          public InetAddress[] resolve(String host) {
            return new InetAddress[] {InetAddress.getLoopbackAddress()};
          }

          @Override
          public String resolveCanonicalHostname(String host) {
            return host;
          }
        };
    try (WebClient client = new WebClient("agent", loopback);
        FileChannel out =
            FileChannel.open(
                sandbox.resolve("x"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      URI uri = Uris.parse("http://me:pw@my_host." + "x:" + port + "//a/b");
      client.get(uri, out, PATIENT, progress::add);
    }
    assertThat(seen).containsExactly("my_host.x:" + port + " Basic bWU6cHc= //a/b");
  }

  @Test
  void givesUpOnARedirectLoop() {
    redirect("/loop", 302, "/loop");
    refused("http://" + base + "/loop", PATIENT, "/loop", "20 times", "circle");
  }

  @Test
  void refusesRedirectsToWhatIsNoWebServer() {
    redirect("/file", 302, "file:///etc/passwd");
    refused("http://" + base + "/file", PATIENT, "/file", "less safe");
  }

  @Test
  void everyStatusBut200IsAFailure() {
    for (int status : new int[] {204, 206, 401, 404, 500}) {
      handle("/status" + status, exchange -> exchange.sendResponseHeaders(status, -1));
      refused("http://" + base + "/status" + status, PATIENT, "/status" + status, "" + status);
    }
    assertThatThrownBy(() -> fetcher.describe(URI.create("http://" + base + "/status404")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Is the path right?");
  }

  @Test
  void aStalledBodyIsAFailure() {
    handle(
        "/stall",
        exchange -> {
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write(1);
          exchange.getResponseBody().flush();
          awaitTestEnd();
        });
    refused("http://" + base + "/stall", SHORT, "/stall", "no byte for 5.0 s", "stall");
  }

  @Test
  void aServerThatDoesNotAnswerIsAFailure() {
    handle("/silent", exchange -> awaitTestEnd());
    refused("http://" + base + "/silent", SHORT, "/silent", "did not answer for 5.0 s");
  }

  @Test
  void aTruncatedBodyIsAFailure() throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      threads.execute(
          () -> {
            try (Socket client = listener.accept()) {
              client.getInputStream().read(new byte[10_000]);
              client
                  .getOutputStream()
                  .write(
                      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"
                          .getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
              throw new java.io.UncheckedIOException(e);
            }
          });
      refused("http://127.0.0.1:" + listener.getLocalPort() + "/cut", PATIENT, "/cut", "100", "5");
    }
  }

  @Test
  void noServerIsAFailure() throws Exception {
    int port;
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = listener.getLocalPort();
    }
    refused("http://127.0.0.1:" + port + "/x", PATIENT, "Cannot connect", "/x", "running?");
  }

  @Test
  void sendsUserAndPasswordButNeverShowsThem() throws Exception {
    List<String> seen = new CopyOnWriteArrayList<>();
    handle(
        "/closed",
        exchange -> {
          seen.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          exchange.sendResponseHeaders(404, -1);
        });
    assertThatThrownBy(() -> fetch("http://me:s%40cret@" + base + "/closed?key=k", PATIENT))
        .hasMessageContaining(base + "/closed")
        .hasMessageNotContaining("cret")
        .hasMessageNotContaining("key=k");
    String expected =
        Base64.getEncoder().encodeToString("me:s@cret".getBytes(StandardCharsets.UTF_8));
    assertThat(seen).containsExactly("Basic " + expected);
  }

  @Test
  void aPasswordStaysWithItsServer() throws Exception {
    HttpServer other =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    List<String> seen = new CopyOnWriteArrayList<>();
    other.createContext(
        "/",
        exchange -> {
          seen.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    other.start();
    try {
      redirect("/away", 302, "http://127.0.0.1:" + other.getAddress().getPort() + "/");
      fetch("http://me:secret@" + base + "/away", PATIENT);
      assertThat(seen).containsExactly("null");
    } finally {
      other.stop(0);
    }
  }

  @Test
  void anInterruptCancels() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    handle(
        "/forever",
        exchange -> {
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write(1);
          exchange.getResponseBody().flush();
          reached.countDown();
          awaitTestEnd();
        });
    CompletableFuture<Throwable> outcome = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                fetch("http://" + base + "/forever", PATIENT);
                outcome.complete(new AssertionError("It was fetched"));
              } catch (Exception e) {
                outcome.complete(e);
              }
            });
    thread.start();
    reached.await();
    thread.interrupt();
    assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    assertThat(sandbox).isEmptyDirectory();
  }

  @Test
  void tellsWhatTheServerTells() throws Exception {
    handle(
        "/tagged",
        exchange -> {
          exchange.getResponseHeaders().set("Content-Length", "1000");
          exchange.getResponseHeaders().set("ETag", "\"abc\"");
          exchange.getResponseHeaders().set("Last-Modified", "yesterday");
          exchange.sendResponseHeaders(200, -1);
        });
    handle(
        "/dated",
        exchange -> {
          exchange.getResponseHeaders().set("Content-Length", "many");
          exchange.getResponseHeaders().set("Last-Modified", "yesterday");
          exchange.sendResponseHeaders(200, -1);
        });
    assertThat(fetcher.describe(URI.create("http://" + base + "/tagged")))
        .isEqualTo(new Fetcher.Description(Optional.of(1000L), Optional.of("\"abc\"")));
    assertThat(fetcher.describe(URI.create("http://" + base + "/dated")).version())
        .contains("yesterday");
  }

  private void refused(String uri, Duration stall, String... messages) {
    assertThatThrownBy(() -> fetch(uri, stall))
        .isInstanceOf(IOException.class)
        .satisfies(failure -> assertThat(failure.getMessage()).contains(messages));
    assertThat(sandbox).isEmptyDirectory();
  }

  private void fetch(String uri, Duration stall) throws Exception {
    Files.deleteIfExists(sandbox.resolve("target"));
    fetcher.fetch(request(URI.create(uri), stall));
  }

  private Fetcher.Request request(URI uri, Duration stall) {
    return Fetcher.Request.of(uri, sandbox.resolve("target"), stall, progress::add);
  }

  private void assertOnlyTarget() throws IOException {
    try (Stream<Path> files = Files.list(sandbox)) {
      assertThat(files).containsExactly(sandbox.resolve("target"));
    }
  }

  private static byte[] randomBytes() {
    byte[] bytes = new byte[3_000_001];
    new Random(7).nextBytes(bytes);
    return bytes;
  }

  private interface Handler {
    void handle(HttpExchange exchange) throws IOException;
  }

  private void handle(String path, Handler handler) {
    server.createContext(
        path,
        exchange -> {
          try {
            handler.handle(exchange);
          } finally {
            exchange.close();
          }
        });
  }

  private void serve(String path, byte[] body) {
    handle(
        path,
        exchange -> {
          boolean head = exchange.getRequestMethod().equals("HEAD");
          if (head) {
            exchange.getResponseHeaders().set("Content-Length", "" + body.length);
          }
          exchange.sendResponseHeaders(200, head || body.length == 0 ? -1 : body.length);
          if (!head) {
            exchange.getResponseBody().write(body);
          }
        });
  }

  private void redirect(String path, int status, String location) {
    handle(
        path,
        exchange -> {
          exchange.getResponseHeaders().set("Location", location);
          exchange.sendResponseHeaders(status, -1);
        });
  }

  private void awaitTestEnd() {
    try {
      testEnded.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
