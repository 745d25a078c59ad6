package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the commands that look at modules and change them send, and what they print. */
@Timeout(60)
class ModuleCommandTest {
  private static final String DIGEST =
      "fc8bd814a3051a9717431182d5af2a2d654481aac82a028c05c73afa4ca38823";

  @TempDir Path dir;
  private final List<String> asked = new ArrayList<>();
  private final List<HttpServer> servers = new ArrayList<>();
  private HttpServer master;
  private HttpServer agent;
  private volatile int status = 200;
  private volatile String answer = action(true, "done");
  private volatile String agentDeployments = deployments("1.0.0", "aaaa", true);
  private String out;

  private static String action(boolean succeeded, String outcome) {
    return """
    {"daemon":"master","action":{"id":3,"principal":"Ada","at":"2026-01-02T03:04:05Z",
    "action":"swap","name":"org.hooks","from":"1.0.0","to":"1.1.0","succeeded":%s,
    "outcome":"%s","took_ms":12,"gap_ms":0,"stages":[]}}\
    """
        .formatted(succeeded, outcome);
  }

  private static String deployments(String version, String digest, boolean shipped) {
    return """
    {"daemon":"master","deployments":[{"name":"org.hooks","version":"%s","digest":"%s",
    "shipped":%s,"file":"hooks.jar","state":"active","problem":"it is odd","bundle_id":7,
    "modules":["hook labels"]}],"verdicts":[{"digest":"cc","name":"org.hooks",
    "version":"2.0.0","verdict":"rolled back","reason":"it throws","at":""}],"leaks":[],
    "shipped":[{"file":"hooks-1.jar","digest":"aaaa"}],
    "history":[{"id":3,"principal":"Ada","at":"2026-01-02T03:04:05Z","action":"swap",
    "name":"org.hooks","from":"0.9.0","to":"1.0.0","succeeded":true,"outcome":"took over",
    "took_ms":12,"gap_ms":0,"stages":[]}]}\
    """
        .formatted(version, digest, shipped);
  }

  @BeforeEach
  void open() throws Exception {
    master = daemon(() -> deployments("1.0.0", "aaaa", true));
    agent = daemon(() -> agentDeployments);
    master.createContext(
        "/redirect",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "//" + address(master));
          exchange.sendResponseHeaders(307, -1);
          exchange.close();
        });
    master.createContext(
        "/slaves",
        exchange ->
            respond(
                exchange,
                200,
                "{\"slaves\":[{\"active\":true,\"pid\":\"slave(1)@" + address(agent) + "\"}]}"));
  }

  private HttpServer daemon(java.util.function.Supplier<String> deployments) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    servers.add(server);
    server.createContext(
        "/mezzo/modules",
        exchange -> {
          if (exchange.getRequestMethod().equals("GET")) {
            respond(
                exchange,
                200,
                """
                {"daemon":"master","modules":[{"kind":"hook","name":"labels","version":"",
                "bundle":{"id":7,"name":"org.hooks","version":"1.0.0"},"state":"active",
                "problem":"","daemons":["master","agent-1"]}]}\
                """);
            return;
          }
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          asked.add(
              exchange.getRequestURI().toString().replace("/mezzo/modules/", "")
                  + " "
                  + exchange.getRequestHeaders().getFirst("Authorization")
                  + " "
                  + body);
          respond(exchange, status, answer);
        });
    server.createContext(
        "/mezzo/deployments", exchange -> respond(exchange, 200, deployments.get()));
    server.start();
    return server;
  }

  private static void respond(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static String address(HttpServer server) {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  @AfterEach
  void close() {
    servers.forEach(server -> server.stop(0));
  }

  private int run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("module"));
    all.addAll(List.of(arguments));
    all.add(2, "--master=" + address(master));
    PrintStream outBefore = System.out;
    PrintStream errBefore = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(stream);
      System.setErr(stream);
      CommandLine command = Mezzo.commandLine();
      command.setErr(new PrintWriter(stream, true, StandardCharsets.UTF_8));
      return command.execute(all.toArray(String[]::new));
    } finally {
      System.setOut(outBefore);
      System.setErr(errBefore);
      out = printed.toString(StandardCharsets.UTF_8);
    }
  }

  private String jar() throws IOException {
    return Files.writeString(dir.resolve("my hooks.jar"), "a jar").toString();
  }

  @Test
  void sendsAJarWithItsDigestAndSaysWhatBecameOfIt() throws Exception {
    assertThat(run("install", jar())).isZero();
    assertThat(out)
        .isEqualToIgnoringNewLines("master: swap org.hooks 1.0.0 -> 1.1.0: done (12 ms, gap 0 ms)");
    assertThat(run("update", jar())).isZero();
    assertThat(run("swap", jar())).isZero();
    Path credential = Files.writeString(dir.resolve("credential"), "a b\n");
    assertThat(run("rollback", "org.hooks", "--credential=" + credential)).isZero();
    assertThat(run("uninstall", "org.hooks", "--agent=" + address(agent))).isZero();
    assertThat(out).startsWith("agent " + address(agent) + ": swap org.hooks");
    assertThat(asked.get(0)).startsWith("install?").contains("name=my+hooks.jar");
    assertThat(asked.get(0)).contains("sha256=" + DIGEST).endsWith("null a jar");
    assertThat(asked.get(1)).contains("expect=update").endsWith(" a jar");
    assertThat(asked.get(2)).contains("expect=swap").endsWith(" a jar");
    assertThat(asked.subList(3, 5))
        .containsExactly(
            "rollback?bundle=org.hooks Basic YTpi ", "uninstall?bundle=org.hooks null ");
  }

  @Test
  void sendsAJarThatAUrlLeadsTo() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes)) {
      jar.putNextEntry(new ZipEntry("entry"));
    }
    agent.createContext(
        "/builds/hooks-2.jar",
        exchange -> {
          exchange.sendResponseHeaders(200, bytes.size());
          exchange.getResponseBody().write(bytes.toByteArray());
          exchange.close();
        });
    String builds = "http://" + address(agent) + "/builds/";
    assertThat(run("install", builds + "hooks-2.jar")).isZero();
    assertThat(asked.get(0)).startsWith("install?").contains("name=hooks-2.jar", "null PK");
    assertThat(run("update", builds + "hooks-3.jar")).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("hooks-3.jar answered with status 404, and no jar");
    assertThat(run("swap", builds + "hooks-2.jar", "--sha256=" + DIGEST)).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("has the SHA-256 ", ", not " + DIGEST);
    assertThat(run("install", jar(), "--sha256=x")).isEqualTo(Mezzo.USAGE);
    assertThat(out).contains("'x' is no SHA-256");
    assertThat(asked).hasSize(1);
  }

  @Test
  void saysWhatDaemonsHaveAgainstIt() throws Exception {
    status = 409;
    answer = action(false, "it is refused");
    assertThat(run("install", jar())).isEqualTo(Mezzo.FAILURE);
    assertThat(out)
        .isEqualToIgnoringNewLines(
            "master: swap org.hooks 1.0.0 -> 1.1.0 FAILED: it is refused (12 ms, gap 0 ms)");
    status = 401;
    answer = "401 Unauthorized.";
    assertThat(run("uninstall", "x")).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("status 401: 401 Unauthorized.", "--credential=FILE");
    assertThat(run("install", dir.resolve("absent.jar").toString())).isEqualTo(Mezzo.USAGE);
    assertThat(out).contains("absent.jar is no file that can be read");
    assertThat(run("rollback", "x", "--agent=here")).isEqualTo(Mezzo.USAGE);
    assertThat(out).contains("'here' is not HOST:PORT");
    assertThat(run("rollback", "x", "--agent=127.0.0.1:1")).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("http://127.0.0.1:1/mezzo/modules/rollback does not");
    assertThat(run("rollback")).isEqualTo(Mezzo.USAGE);
  }

  /** Answers whatever comes at once, and takes no body. */
  private static Thread refuseAll(ServerSocket server, String status) {
    Thread thread =
        new Thread(
            () -> {
              while (!server.isClosed()) {
                try (Socket socket = server.accept()) {
                  BufferedReader in =
                      new BufferedReader(
                          new InputStreamReader(
                              socket.getInputStream(), StandardCharsets.US_ASCII));
                  while (!in.readLine().isEmpty()) {
                    continue;
                  }
                  socket
                      .getOutputStream()
                      .write(
                          ("HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 3\r\n\r\nwhy"
                                  .formatted(status))
                              .getBytes(StandardCharsets.US_ASCII));
                } catch (IOException | NullPointerException e) {
                  continue;
                }
              }
            });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  @Test
  void aJarThatIsRefusedIsNotSentAndTheReasonIsTold() throws Exception {
    for (String status : List.of("403 Forbidden", "413 Payload Too Large")) {
      try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
        refuseAll(server, status);
        String daemon = "--agent=127.0.0.1:" + server.getLocalPort();
        assertThat(run("install", jar(), daemon)).isEqualTo(Mezzo.FAILURE);
        assertThat(out)
            .contains("answered with status " + status.substring(0, 3))
            .contains(
                status.startsWith("403") ? ": why" : ": 5 bytes are more than is taken there");
      }
    }
  }

  @Test
  void verifiesWithAStatusThatTells() throws Exception {
    answer =
        """
        {"daemon":"master","verification":{"passed":false,"file":"hooks.jar","name":"org.hooks",
        "version":"1.0.0","digest":"ab12","modules":["hook labels"],"installed":"2.0.0",
        "change":"swap","problems":["it lacks something"],"notes":["it is old"]}}\
        """;
    assertThat(run("verify", jar())).isEqualTo(Mezzo.FAILURE);
    assertThat(out)
        .contains("master: it would be refused", "bundle     org.hooks 1.0.0")
        .contains("problem    it lacks something", "note       it is old", "would be   swap");
    answer = answer.replace("false", "true").replace("\"it lacks something\"", "");
    assertThat(run("verify", jar())).isZero();
    assertThat(out).contains("it can be installed").doesNotContain("problem");
  }

  @Test
  void showsAllThatIsKnownOfAModule() {
    assertThat(run("info", "labels")).isZero();
    assertThat(out)
        .contains("master: org.hooks 1.0.0", "problem  it is odd", "origin   distribution")
        .contains("module   hook labels, active, used by master, agent-1")
        .contains("verdict  2.0.0 was rolled back: it throws")
        .contains("swap 0.9.0 -> 1.0.0 by Ada: took over");
    String byModule = out;
    assertThat(run("info", "org.hooks")).isZero();
    assertThat(out).isEqualTo(byModule);
    assertThat(run("info", "none")).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("no module is called none; there are org.hooks");
  }

  @Test
  void showsInWhatDaemonsDifferAndNothingElse() {
    assertThat(run("diff")).isZero();
    assertThat(out).isEqualToIgnoringNewLines("Nothing differs.");
    agentDeployments = deployments("1.1.0", "bbbbbbbbbbbbbbbb", false);
    assertThat(run("diff")).isEqualTo(Mezzo.FAILURE);
    assertThat(out.lines().map(line -> line.replaceAll(" {2,}", " | ")))
        .containsExactly(
            "BUNDLE | WHAT | DAEMONS",
            "hooks-1.jar | shipped, not there | agent " + address(agent),
            "org.hooks | 1.0.0 aaaa, shipped | master",
            "org.hooks | 1.1.0 bbbbbbbbbbbb, not shipped | agent " + address(agent));
    agent.stop(0);
    assertThat(run("diff")).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("cannot be asked").doesNotContain("org.hooks");
  }
}
