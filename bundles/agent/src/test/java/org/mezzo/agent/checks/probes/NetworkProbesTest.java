package org.mezzo.agent.checks.probes;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.api.Metrics;
import org.mezzo.containerizer.LauncherChoice;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.CommandInfo;

/** Rules 230 and 231 against servers of this process. */
class NetworkProbesTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final long ME = ProcessHandle.current().pid();

  @TempDir Path folder;

  private final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<AutoCloseable> closing = new CopyOnWriteArrayList<>();
  private final Metrics metrics =
      new Metrics() {
        @Override
        public Counter counter(String name) {
          return count -> {};
        }

        @Override
        public void gauge(String name, DoubleSupplier value) {
          gauges.put(name, value);
        }

        @Override
        public void remove(String name) {
          gauges.remove(name);
        }
      };
  private NetworkProbes probes;

  @BeforeEach
  void open() throws Exception {
    probes = new NetworkProbes("test", relay(Optional.empty()), metrics);
  }

  @AfterEach
  void close() throws Exception {
    probes.close();
    for (AutoCloseable each : closing) {
      each.close();
    }
    threads.shutdownNow();
  }

  private NetworkRelay relay(Optional<Path> program) {
    return new NetworkRelay(program, folder);
  }

  private record Process(long pid) implements Subject {
    @Override
    public String name() {
      return "t";
    }

    @Override
    public boolean runs() {
      return true;
    }

    @Override
    public Probing run(CommandInfo command, Duration timeout, Consumer<Outcome> done) {
      done.accept(new Outcome.Exited(command.getValue().length()));
      return Probing.NONE;
    }
  }

  private CompletableFuture<Outcome> begin(Probe probe, Duration timeout) {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    probes.probe(new Process(ME), probe, timeout, outcome::complete);
    return outcome;
  }

  private Outcome outcome(Probe probe, Duration timeout) throws Exception {
    return begin(probe, timeout).get(60, TimeUnit.SECONDS);
  }

  private Outcome outcome(Probe probe) throws Exception {
    return outcome(probe, LONG);
  }

  private int gauge(String name) {
    return (int) gauges.get("slave/check_probes_" + name).getAsDouble();
  }

  private static Probe http(int port, String path) {
    return new Probe.Http(false, false, port, path);
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
      assertThat(outcome(http(port, "/" + status))).isEqualTo(new Outcome.Answered(status));
    }
    assertThat(outcome(http(port, ""))).isEqualTo(new Outcome.Answered(404));
    assertThat(outcome(http(port, "/seen/a b\u00e9?q=1#here")))
        .isEqualTo(new Outcome.Answered(200));
    Await.until(() -> gauge("open") == 0 && gauge("running") == 0);
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
    assertThat(outcome(http(port, "/near"))).isEqualTo(new Outcome.Answered(200));
    assertThat(outcome(http(port, "/far"))).isEqualTo(new Outcome.Answered(400));
    assertThat(outcome(http(port, "/name"))).isEqualTo(new Outcome.Answered(200));
    assertThat(outcome(http(port, "/loop")).describe()).contains("more than 20 redirects");
    assertThat(outcome(http(port, "/file")).describe()).contains("not http or https");
    assertThat(outcome(http(port, "/nowhere")).describe()).contains("no-such-host.invalid");
  }

  @Test
  void httpsTakesAnyCertificate() throws Exception {
    HttpsServer server = HttpsServer.create(new InetSocketAddress(loopback(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(selfSigned()));
    int port = serve(server).getAddress().getPort();
    assertThat(outcome(new Probe.Http(true, false, port, "/200")))
        .isEqualTo(new Outcome.Answered(200));
    assertThat(outcome(new Probe.Http(true, false, port, "/near")))
        .isEqualTo(new Outcome.Answered(200));
    assertThat(outcome(new Probe.Http(true, false, port, "/500")))
        .isEqualTo(new Outcome.Answered(500));
    assertThat(outcome(http(port, "/200")).healthy()).isFalse();
    int plain = server(loopback()).getAddress().getPort();
    assertThat(outcome(new Probe.Http(true, false, plain, "/200"), Duration.ofMillis(500)))
        .isInstanceOf(Outcome.Failed.class);
    Await.until(() -> gauge("open") == 0);
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
    assertThat(outcome(new Probe.Http(false, true, port, "/near")))
        .isEqualTo(new Outcome.Answered(200));
    assertThat(outcome(new Probe.Tcp(true, port))).isEqualTo(new Outcome.Connected(true, ""));
    assertThat(outcome(new Probe.Tcp(false, port)).healthy()).isFalse();
  }

  @Test
  void tcpConnects() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    assertThat(outcome(new Probe.Tcp(false, port))).isEqualTo(new Outcome.Connected(true, ""));
    assertThat(outcome(new Probe.Tcp(false, closedPort())))
        .isEqualTo(new Outcome.Connected(false, "Connection refused"));
    assertThat(outcome(new Probe.Tcp(false, 0)).describe()).isEqualTo("there is no port 0");
    assertThat(outcome(new Probe.Tcp(false, -1)).describe())
        .isEqualTo("there is no port 4294967295");
    Await.until(() -> gauge("open") == 0);
  }

  @Test
  void whatIsNoHttpFails() throws Exception {
    assertThat(outcome(http(says("220 mail\r\n", NetworkProbesTest::shut), "/")).describe())
        .isEqualTo("the answer is not HTTP");
    assertThat(
            outcome(http(says("HTTP/1.1 200 OK\r\nA: b", NetworkProbesTest::shut), "/")).describe())
        .isEqualTo("the connection was closed before there was an answer");
    assertThat(
            outcome(http(says("HTTP/1.1 200 OK\r\n" + "A: b\r\n".repeat(20_000), s -> {}), "/"))
                .describe())
        .contains("longer than 65536 bytes");
    assertThat(outcome(http(closedPort(), "/")))
        .isEqualTo(new Outcome.Failed("Connection refused"));
  }

  @Test
  void announcementsAndOldServersAreUnderstood() throws Exception {
    assertThat(
            outcome(
                http(
                    says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 \r\nA: b\r\n\r\n", s -> {}),
                    "/")))
        .isEqualTo(new Outcome.Answered(202));
    assertThat(outcome(http(says("HTTP/1.0 503\n\n", NetworkProbesTest::shut), "/")))
        .isEqualTo(new Outcome.Answered(503));
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
    assertThat(outcome(http(port, "/"))).isEqualTo(new Outcome.Answered(200));
    Await.until(() -> gauge("open") == 0);
    assertThat(written.get()).isLessThan(100_000_000);
    // One that does not come, on a connection that stays.
    assertThat(outcome(http(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", s -> {}), "/")))
        .isEqualTo(new Outcome.Answered(200));
    Await.until(() -> gauge("open") == 0);
  }

  @Test
  void whoDoesNotAnswerInTimeFails() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    assertThat(outcome(http(port, "/silent"), Duration.ofMillis(200)))
        .isEqualTo(new Outcome.Failed("nothing came of it within 0.2 s"));
    Await.until(() -> gauge("open") == 0);
  }

  @Test
  void whatIsCalledOffEndsAndTellsNothing() throws Exception {
    int port = server(loopback()).getAddress().getPort();
    List<Outcome> told = new ArrayList<>();
    Probing probing =
        probes.probe(new Process(ME), http(port, "/silent"), Duration.ZERO, told::add);
    Await.until(() -> gauge("open") == 1);
    probing.cancel();
    Await.until(() -> gauge("open") == 0 && gauge("running") == 0);
    // What is asked for afterwards is told afterwards.
    outcome(http(port, "/200"));
    assertThat(told).isEmpty();
  }

  @Test
  void othersWaitWithoutLosingTheirTime() throws Exception {
    probes.close();
    probes = new NetworkProbes("test", relay(Optional.empty()), metrics, Path.of("/proc"), 2, LONG);
    int port = server(loopback()).getAddress().getPort();
    List<Probing> silent = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      silent.add(
          probes.probe(new Process(ME), http(port, "/silent"), Duration.ZERO, outcome -> {}));
    }
    CompletableFuture<Outcome> waits = begin(http(port, "/200"), LONG);
    Await.until(() -> gauge("waiting") == 2);
    assertThat(gauge("running")).isEqualTo(2);
    silent.get(2).cancel();
    Await.until(() -> gauge("waiting") == 1);
    assertThat(waits).isNotDone();
    silent.get(0).cancel();
    assertThat(waits.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Answered(200));
  }

  @Test
  void whoNeverAnswersHoldsUpNobodyForLong() throws Exception {
    probes.close();
    probes =
        new NetworkProbes(
            "test", relay(Optional.empty()), metrics, Path.of("/proc"), 1, Duration.ofMillis(100));
    int port = server(loopback()).getAddress().getPort();
    begin(http(port, "/silent"), Duration.ZERO);
    assertThat(outcome(http(port, "/200"))).isEqualTo(new Outcome.Answered(200));
    assertThat(gauge("open")).isPositive();
  }

  /** A server in a network of its own, which serves http and then says its port. */
  public static final class Alone {
    private Alone() {}

    /** Serves until it is killed. */
    public static void main(String[] arguments) throws Exception {
      HttpServer server = HttpServer.create(new InetSocketAddress(loopback(), 0), 0);
      server.createContext("/200", exchange -> answer(exchange, 200, "body"));
      server.createContext("/near", exchange -> redirect(exchange, "200"));
      server.createContext("/silent", exchange -> {});
      server.setExecutor(Executors.newCachedThreadPool());
      server.start();
      System.out.println(server.getAddress().getPort());
    }
  }

  @Test
  void aTaskWithANetworkOfItsOwnIsTriedThere() throws Exception {
    Path program = LauncherChoice.programIn(Path.of("../native/target/native")).toAbsolutePath();
    Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "only root enters");
    Assumptions.assumeTrue(Files.isExecutable(program), "there is no native launcher");
    java.lang.Process alone =
        new ProcessBuilder(
                "unshare",
                "-n",
                "sh",
                "-c",
                "ip link set lo up; exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Alone.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    closing.add(() -> alone.destroyForcibly().waitFor());
    int port = Integer.parseInt(alone.inputReader().readLine());
    probes.close();
    NetworkRelay relay = relay(Optional.of(program));
    probes = new NetworkProbes("test", relay, metrics);
    assertThat(there(alone, http(port, "/200"))).isEqualTo(new Outcome.Answered(200));
    assertThat(there(alone, http(port, "/near"))).isEqualTo(new Outcome.Answered(200));
    assertThat(there(alone, new Probe.Tcp(false, port))).isEqualTo(new Outcome.Connected(true, ""));
    int other = port == 1 ? 2 : port - 1;
    assertThat(there(alone, new Probe.Tcp(false, other)))
        .isEqualTo(new Outcome.Connected(false, "Connection refused"));
    CompletableFuture<Outcome> late = new CompletableFuture<>();
    probes.probe(
        new Process(alone.pid()), http(port, "/silent"), Duration.ofMillis(200), late::complete);
    assertThat(late.get(60, TimeUnit.SECONDS))
        .isEqualTo(new Outcome.Failed("nothing came of it within 0.2 s"));
    // Beside it, tasks of the agent's network are tried in that.
    assertThat(outcome(http(server(loopback()).getAddress().getPort(), "/204")))
        .isEqualTo(new Outcome.Answered(204));
    Await.until(() -> gauge("open") == 0);
    assertThat(relay.runs()).isTrue();
    probes.close();
    assertThat(relay.runs()).isFalse();
  }

  private Outcome there(java.lang.Process process, Probe probe) throws Exception {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    probes.probe(new Process(process.pid()), probe, LONG, outcome::complete);
    return outcome.get(60, TimeUnit.SECONDS);
  }

  @Test
  void aTaskWithANetworkOfItsOwnIsNotTriedInTheAgents() throws Exception {
    Path proc = folder.resolve("proc");
    for (String process : new String[] {"self", "7", "8"}) {
      Files.createDirectories(proc.resolve(process).resolve("ns"));
    }
    Files.createSymbolicLink(proc.resolve("self/ns/net"), Path.of("net:[1]"));
    Files.createSymbolicLink(proc.resolve("7/ns/net"), Path.of("net:[1]"));
    Files.createSymbolicLink(proc.resolve("8/ns/net"), Path.of("net:[2]"));
    probes.close();
    probes = new NetworkProbes("test", relay(Optional.empty()), metrics, proc, 10, LONG);
    HttpServer server = server(loopback());
    Probe probe = new Probe.Tcp(false, server.getAddress().getPort());
    List<CompletableFuture<Outcome>> outcomes = new ArrayList<>();
    for (long pid : new long[] {7, 8, 9}) {
      CompletableFuture<Outcome> outcome = new CompletableFuture<>();
      outcomes.add(outcome);
      probes.probe(new Process(pid), probe, LONG, outcome::complete);
    }
    assertThat(outcomes.get(0).get(60, TimeUnit.SECONDS).healthy()).isTrue();
    assertThat(outcomes.get(1).get(60, TimeUnit.SECONDS))
        .isInstanceOf(Outcome.Impossible.class)
        .extracting(Outcome::describe)
        .asString()
        .contains("network namespace of its own")
        .contains("only agents with the native launcher");
    assertThat(outcomes.get(2).get(60, TimeUnit.SECONDS))
        .isEqualTo(new Outcome.Failed("the task's first process is gone"));
    Await.until(() -> gauge("running") == 0);
  }

  @Test
  void commandsAreTheTasks() throws Exception {
    assertThat(outcome(new Probe.Command(CommandInfo.newBuilder().setValue("four").build())))
        .isEqualTo(new Outcome.Exited(4));
  }
}
