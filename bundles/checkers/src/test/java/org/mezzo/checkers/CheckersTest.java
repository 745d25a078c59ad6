package org.mezzo.checkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.mezzo.fixtures.Await;
import org.mezzo.testing.FakeCheckRequest;
import org.mezzo.testing.FakeDaemonContext;

/** Rules 230 and 231 against servers of this process. */
class CheckersTest {
  @TempDir Path folder;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<AutoCloseable> closing = new CopyOnWriteArrayList<>();
  private final FakeDaemonContext context = FakeDaemonContext.agent();
  private final FakeDaemonContext tcpContext = FakeDaemonContext.agent();
  private final HttpChecker http = new HttpChecker();
  private final TcpChecker tcp = new TcpChecker();

  @BeforeEach
  void open() throws Exception {
    http.open(context);
    tcp.open(tcpContext);
  }

  @AfterEach
  void close() throws Exception {
    http.close();
    tcp.close();
    for (AutoCloseable each : closing) {
      each.close();
    }
    threads.shutdownNow();
  }

  private static CheckResult result(Checker checker, FakeCheckRequest request) throws Exception {
    return checker.check(request).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private CheckResult page(int port, String path) throws Exception {
    return result(http, FakeCheckRequest.http(port, path));
  }

  private void awaitNoneUnderWay() {
    Await.until(
        () ->
            context.metrics().value("underway") == 0
                && tcpContext.metrics().value("underway") == 0);
  }

  private HttpServer server(InetAddress address) throws IOException {
    return serve(HttpServer.create(new InetSocketAddress(address, 0), 0));
  }

  private HttpServer serve(HttpServer server) {
    server.setExecutor(threads);
    server.createContext("/", exchange -> answer(exchange, 404, ""));
    for (int status : new int[] {200, 204, 301, 399, 400, 500}) {
      server.createContext("/" + status, exchange -> answer(exchange, status, "body"));
    }
    server.createContext("/seen", exchange -> answer(exchange, seen(exchange) ? 200 : 418, ""));
    server.createContext("/loop", exchange -> redirect(exchange, "/loop"));
    server.createContext("/near", exchange -> redirect(exchange, "200"));
    server.createContext("/file", exchange -> redirect(exchange, "file:///etc/passwd"));
    server.createContext("/silent", exchange -> {});
    server.start();
    closing.add(() -> server.stop(0));
    return server;
  }

  private static boolean seen(HttpExchange exchange) {
    return exchange.getRequestURI().toString().equals("/seen/a%20b%C3%A9?q=1")
        && exchange.getRequestMethod().equals("GET")
        && exchange.getRequestHeaders().getFirst("Host").startsWith("127.0.0.1:");
  }

  private static void redirect(HttpExchange exchange, String location) throws IOException {
    exchange.getResponseHeaders().add("Location", location);
    answer(exchange, 302, "see there");
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, status == 204 || bytes.length == 0 ? -1 : bytes.length);
    if (status != 204) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }

  private static InetAddress loopback() throws IOException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
  }

  /** A server that answers each connection with a text and then does as it likes. */
  private int says(String text, Consumer<Socket> then) throws IOException {
    ServerSocket server = new ServerSocket(0, 50, loopback());
    closing.add(server);
    threads.execute(
        () -> {
          while (!server.isClosed()) {
            try {
              Socket socket = server.accept();
              closing.add(socket);
              threads.execute(
                  () -> {
                    try {
                      socket.getInputStream().read(new byte[1_000]);
                      socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
                      then.accept(socket);
                    } catch (IOException e) {
                      // The other side has seen enough.
                      return;
                    }
                  });
            } catch (IOException e) {
              return;
            }
          }
        });
    return server.getLocalPort();
  }

  private static void shut(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private int closedPort() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, loopback())) {
      return server.getLocalPort();
    }
  }

  @Test
  void httpGivesTheStatus() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    for (int status : new int[] {200, 204, 301, 399, 400, 500}) {
      assertThat(page(port, "/" + status)).isEqualTo(CheckResult.answered(status));
    }
    assertThat(page(port, "")).isEqualTo(CheckResult.answered(404));
    assertThat(page(port, "/seen/a b\u00e9?q=1#here")).isEqualTo(CheckResult.answered(200));
    awaitNoneUnderWay();
  }

  @Test
  void redirectsAreFollowed() throws Exception {
    HttpServer there = server(loopback());
    HttpServer here = server(loopback());
    here.createContext(
        "/far",
        exchange ->
            redirect(exchange, "http://127.0.0.1:" + there.getAddress().getPort() + "/400"));
    here.createContext(
        "/name",
        exchange ->
            redirect(exchange, "http://localhost:" + there.getAddress().getPort() + "/near"));
    here.createContext("/nowhere", exchange -> redirect(exchange, "http://no-such-host.invalid/"));
    int port = here.getAddress().getPort();
    assertThat(page(port, "/near")).isEqualTo(CheckResult.answered(200));
    assertThat(page(port, "/far")).isEqualTo(CheckResult.answered(400));
    assertThat(page(port, "/name")).isEqualTo(CheckResult.answered(200));
    assertThat(page(port, "/loop").reason()).contains("more than 20 redirects");
    assertThat(page(port, "/file").reason()).contains("not http or https");
    assertThat(page(port, "/nowhere").reason()).contains("no-such-host.invalid");
  }

  @Test
  void httpsTakesAnyCertificate() throws Exception {
    HttpsServer server = HttpsServer.create(new InetSocketAddress(loopback(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(selfSigned()));
    int port = serve(server).getAddress().getPort();
    assertThat(result(http, FakeCheckRequest.http(port, "/200").withTls()))
        .isEqualTo(CheckResult.answered(200));
    assertThat(result(http, FakeCheckRequest.http(port, "/near").withTls()))
        .isEqualTo(CheckResult.answered(200));
    assertThat(result(http, FakeCheckRequest.http(port, "/500").withTls()))
        .isEqualTo(CheckResult.answered(500));
    assertThat(page(port, "/200").kind()).isEqualTo(CheckResult.Kind.FAILED);
    int plain = server(loopback()).getAddress().getPort();
    assertThat(
            result(
                http,
                FakeCheckRequest.http(plain, "/200").withTls().within(Duration.ofMillis(500))))
        .extracting(CheckResult::kind)
        .isEqualTo(CheckResult.Kind.FAILED);
    awaitNoneUnderWay();
  }

  /** For another name than is asked for, signed by nobody, and expired. */
  private SSLContext selfSigned() throws Exception {
    Path keys = folder.resolve("keys.p12");
    java.lang.Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=other.example",
                "-startdate",
                "-10d",
                "-validity",
                "1",
                "-keystore",
                keys.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit")
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keys)) {
      store.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  @Test
  void ipv6HasALoopbackOfItsOwn() throws Exception {
    HttpServer server;
    try {
      server = server(InetAddress.getByName("::1"));
    } catch (IOException e) {
      Assumptions.abort("This machine has no IPv6: " + e);
      return;
    }
    int port = server.getAddress().getPort();
    assertThat(result(http, FakeCheckRequest.http(port, "/near").withIpv6()))
        .isEqualTo(CheckResult.answered(200));
    assertThat(result(tcp, FakeCheckRequest.tcp(port).withIpv6()))
        .isEqualTo(CheckResult.connected());
    assertThat(result(tcp, FakeCheckRequest.tcp(port)).kind()).isEqualTo(CheckResult.Kind.REFUSED);
  }

  @Test
  void tcpConnects() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    assertThat(result(tcp, FakeCheckRequest.tcp(port))).isEqualTo(CheckResult.connected());
    assertThat(result(tcp, FakeCheckRequest.tcp(closedPort())))
        .isEqualTo(CheckResult.refused("Connection refused"));
    assertThat(result(tcp, FakeCheckRequest.tcp(0)).reason()).isEqualTo("there is no port 0");
    assertThat(result(tcp, FakeCheckRequest.tcp(-1)).reason())
        .isEqualTo("there is no port 4294967295");
    awaitNoneUnderWay();
  }

  @Test
  void whatIsNoHttpFails() throws Exception {
    assertThat(page(says("220 mail\r\n", CheckersTest::shut), "/").reason())
        .isEqualTo("the answer is not HTTP");
    assertThat(page(says("HTTP/1.1 200 OK\r\nA: b", CheckersTest::shut), "/").reason())
        .isEqualTo("the connection was closed before there was an answer");
    assertThat(page(says("HTTP/1.1 200 OK\r\n" + "A: b\r\n".repeat(20_000), s -> {}), "/").reason())
        .contains("longer than 65536 bytes");
    assertThat(page(closedPort(), "/")).isEqualTo(CheckResult.failed("Connection refused"));
  }

  @Test
  void announcementsAndOldServersAreUnderstood() throws Exception {
    assertThat(
            page(says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 \r\nA: b\r\n\r\n", s -> {}), "/"))
        .isEqualTo(CheckResult.answered(202));
    assertThat(page(says("HTTP/1.0 503\n\n", CheckersTest::shut), "/"))
        .isEqualTo(CheckResult.answered(503));
  }

  @Test
  void bodiesDoNotMatter() throws Exception {
    AtomicInteger written = new AtomicInteger();
    int port =
        says(
            "HTTP/1.1 200 OK\r\n\r\n",
            socket -> {
              try {
                while (true) {
                  socket.getOutputStream().write(new byte[10_000]);
                  written.addAndGet(10_000);
                }
              } catch (IOException e) {
                shut(socket);
              }
            });
    assertThat(page(port, "/")).isEqualTo(CheckResult.answered(200));
    awaitNoneUnderWay();
    assertThat(written.get()).isLessThan(100_000_000);
    // One that does not come, on a connection that stays.
    assertThat(page(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", s -> {}), "/"))
        .isEqualTo(CheckResult.answered(200));
    awaitNoneUnderWay();
  }

  @Test
  void whoDoesNotAnswerInTimeFails() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    assertThat(result(http, FakeCheckRequest.http(port, "/silent").within(Duration.ofMillis(200))))
        .isEqualTo(CheckResult.failed("nothing came of it within 0.2 s"));
    awaitNoneUnderWay();
  }

  @Test
  void whatIsCalledOffEnds() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    FakeCheckRequest request = FakeCheckRequest.http(port, "/silent").within(Duration.ZERO);
    CompletableFuture<CheckResult> begun = http.check(request).toCompletableFuture();
    Await.until(() -> request.open() == 1);
    begun.cancel(true);
    Await.until(() -> request.open() == 0);
    awaitNoneUnderWay();
  }

  @Test
  void nothingIsLeftOfACheckerThatIsClosed() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    FakeCheckRequest request = FakeCheckRequest.http(port, "/silent").within(Duration.ZERO);
    CompletableFuture<CheckResult> begun = http.check(request).toCompletableFuture();
    Await.until(() -> request.open() == 1);
    http.close();
    assertThat(request.open()).isZero();
    assertThat(begun).isNotDone();
  }

  @Test
  void aParameterIsRefused() {
    FakeDaemonContext given = context.withParameters(Map.of("path", "/health"));
    assertThatThrownBy(() -> new HttpChecker().open(given)).hasMessageContaining("'path'");
    assertThatThrownBy(() -> new TcpChecker().open(given)).hasMessageContaining("'path'");
  }
}
