package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.http.HttpExchange;

/** What comes in through the HTTP door, and what does not. */
@Timeout(60)
class ModuleChangesTest {
  private static final int MOST_BYTES = 1000;
  private static final byte[] JAR = "a jar".getBytes(StandardCharsets.UTF_8);

  /** Of {@link #JAR}. */
  private static final String DIGEST =
      "fc8bd814a3051a9717431182d5af2a2d654481aac82a028c05c73afa4ca38823";

  @TempDir Path dir;
  private final RecordedDeployments deployments = new RecordedDeployments();
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final Workers workers = new Workers("test", 2);
  private volatile Optional<Principal> principal = Optional.empty();
  private final List<Action> denied = new ArrayList<>();
  private Path folder;
  private TestServer server;

  @BeforeEach
  void serve() throws Exception {
    folder = Files.createDirectory(dir.resolve("uploads"));
    Files.writeString(folder.resolve("upload1.jar"), "of a process that was killed");
    Authentication authentication =
        (exchange, access) -> {
          assertThat(access).isEqualTo(Access.READWRITE);
          return CompletableFuture.completedStage(Authentication.Verdict.pass(principal));
        };
    Router router =
        new Router(
            "master",
            authentication,
            Authorization.by(
                (subject, actions) ->
                    CompletableFuture.completedStage(
                        denied.stream().anyMatch(actions::contains)
                            ? ObjectApprovers.NONE
                            : ObjectApprovers.ALL)),
            workers);
    new ModuleChanges(
            "master",
            deployments,
            new ModuleUploads(folder, MOST_BYTES, metrics, "master"),
            workers.answers())
        .addTo(router);
    server = new TestServer(router);
    assertThat(folder).isEmptyDirectory();
  }

  @AfterEach
  void close() {
    server.close();
    workers.close();
  }

  private HttpResponse<String> post(String pathAndQuery, byte[] body, String... headers)
      throws Exception {
    return server.send("POST", "/mezzo/modules/" + pathAndQuery, body, headers);
  }

  private void awaitNothingLeft() {
    Await.until(
        () -> {
          try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty()
                && metrics.snapshot().get("master/mezzo/module_uploads") == 0;
          }
        });
  }

  private double count(String name) {
    return metrics.snapshot().get("master/mezzo/module_uploads_" + name);
  }

  @Test
  void whatArrivesIsInstalledAndTheChangeIsTheAnswer() throws Exception {
    principal = Optional.of(Principal.named("Ada"));
    HttpResponse<String> answer =
        post("install?name=hooks.jar&sha256=" + DIGEST.toUpperCase(java.util.Locale.ROOT), JAR);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    assertThat(answer.body())
        .isEqualTo(
            """
            {"daemon":"master","action":{"id":3,"principal":"Ada","at":"2026-01-02T03:04:05Z",\
            "action":"install","name":"hooks","from":"0.9.0","to":"1.0.0","succeeded":true,\
            "outcome":"done","took_ms":12,"gap_ms":0,\
            "stages":[{"stage":"started","after_ms":4}]}}\
            """);
    post("install?name=hooks.jar&expect=update", JAR);
    post("install?name=hooks.jar&expect=swap", JAR);
    principal = Optional.empty();
    post("rollback?bundle=org.hooks", new byte[0]);
    server.send("DELETE", "/mezzo/modules/uninstall?bundle=org.hooks", new byte[0]);
    post("uninstall?bundle=org.hooks", new byte[0]);
    assertThat(deployments.asked)
        .containsExactly(
            "install hooks.jar [NOT_LOWER]: a jar by Ada",
            "install hooks.jar [REPLACES, NOT_LOWER]: a jar by Ada",
            "install hooks.jar [REPLACES]: a jar by Ada",
            "rollback org.hooks by somebody at 127.0.0.1",
            "uninstall org.hooks by somebody at 127.0.0.1",
            "uninstall org.hooks by somebody at 127.0.0.1");
    awaitNothingLeft();
  }

  @Test
  void whatWouldBecomeOfAJarIsToldWithoutAChange() throws Exception {
    HttpResponse<String> answer = post("verify?name=hooks.jar", JAR);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .isEqualTo(
            """
            {"daemon":"master","verification":{"passed":false,"file":"hooks.jar","name":"hooks",\
            "version":"1.0.0","digest":"ab12","modules":["hook labels"],"installed":"2.0.0",\
            "change":"swap","problems":["it lacks something"],"notes":["it is old"]}}\
            """);
    assertThat(deployments.asked).containsExactly("verify hooks.jar: a jar");
    awaitNothingLeft();
  }

  @Test
  void aChangeThatIsNotMadeIsAConflict() throws Exception {
    deployments.succeeds = false;
    HttpResponse<String> answer = post("install?name=hooks.jar", JAR);
    assertThat(answer.statusCode()).isEqualTo(409);
    assertThat(answer.body()).contains("\"succeeded\":false,\"outcome\":\"it is refused\"");
    deployments.failure = new IllegalStateException("The host is stopping");
    answer = post("uninstall?bundle=org.hooks", new byte[0]);
    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.body()).isEqualTo("The host is stopping.\n");
    assertThat(post("install?name=hooks.jar", JAR).body()).isEqualTo("The host is stopping.\n");
    awaitNothingLeft();
  }

  private void refused(HttpResponse<String> answer, int status, String text) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.body()).contains(text);
    assertThat(deployments.asked).isEmpty();
    awaitNothingLeft();
  }

  @Test
  void whatMakesNoSenseIsRefusedWithARemedy() throws Exception {
    refused(post("install", JAR), 400, "Expecting 'name=value' in query");
    refused(post("install?name=../hooks.jar", JAR), 400, "it must end in .jar");
    refused(post("install?name=hooks.zip", JAR), 400, "it must end in .jar");
    refused(post("install?name=hooks.jar&expect=luck", JAR), 400, "to be update or swap");
    refused(post("install?name=hooks.jar&sha256=12", JAR), 400, "64 hexadecimal digits");
    refused(post("install?name=hooks.jar", new byte[0]), 400, "Expecting a module's jar");
    refused(
        post("install?name=hooks.jar&sha256=" + "0".repeat(64), JAR),
        400,
        "has the SHA-256 " + DIGEST + " and not 0000");
    refused(post("rollback", new byte[0]), 400, "Expecting 'bundle=value' in query");
    refused(post("uninstall?bundle=", new byte[0]), 400, "Expecting 'bundle=value' in query");
    refused(server.get("/mezzo/modules/install?name=hooks.jar"), 405, "Expecting one of");
    refused(
        post("install?name=hooks.jar", JAR, "Origin", "http://evil.example"),
        403,
        "a page of http://evil.example sends this");
  }

  /** A request from one address to another one. */
  private static HttpExchange between(String remote, String local) {
    return (HttpExchange)
        Proxy.newProxyInstance(
            HttpExchange.class.getClassLoader(),
            new Class<?>[] {HttpExchange.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "remote" -> new InetSocketAddress(remote, 40000);
                  case "local" -> new InetSocketAddress(local, 5050);
                  case "header" -> Optional.empty();
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  @Test
  void whoIsNotKnownMayChangeModulesOfHisOwnMachineOnly() throws Exception {
    assertThatThrownBy(
            () -> ModuleChanges.requester(between("10.0.0.2", "10.0.0.1"), Optional.empty()))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(
            "who is not authenticated may change this process from this machine only")
        .hasMessageContaining("--authenticate_http_readwrite");
    assertThat(ModuleChanges.requester(between("10.0.0.1", "10.0.0.1"), Optional.empty()))
        .isEqualTo("somebody at 10.0.0.1");
    assertThat(
            ModuleChanges.requester(
                between("10.0.0.2", "10.0.0.1"), Optional.of(Principal.named("Ada"))))
        .isEqualTo("Ada");
  }

  @Test
  void whoMayNotIsForbiddenBeforeAnythingIsReceived() throws Exception {
    denied.add(Action.CHANGE_MODULES);
    refused(post("install?name=hooks.jar", JAR), 403, "403 Forbidden");
    refused(post("rollback?bundle=org.hooks", new byte[0]), 403, "403 Forbidden");
    refused(post("uninstall?bundle=org.hooks", new byte[0]), 403, "403 Forbidden");
    assertThat(post("verify?name=hooks.jar", JAR).statusCode()).isEqualTo(200);
    deployments.asked.clear();
    denied.add(Action.VIEW_MODULES);
    refused(post("verify?name=hooks.jar", JAR), 403, "403 Forbidden");
  }

  @Test
  void whatIsTooLargeIsRefusedWhetherItSaysSoOrNot() throws Exception {
    byte[] large = new byte[MOST_BYTES + 1];
    refused(post("install?name=hooks.jar", large), 413, "--max_module_size");
    HttpResponse<String> streamed =
        server
            .client()
            .send(
                HttpRequest.newBuilder(server.uri("/mezzo/modules/verify?name=hooks.jar"))
                    .POST(
                        BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(large)))
                    .build(),
                BodyHandlers.ofString());
    refused(streamed, 413, "A module may have 1000 bytes here");
    assertThat(count("too_large")).isEqualTo(2);
    assertThat(post("install?name=hooks.jar", new byte[MOST_BYTES]).statusCode()).isEqualTo(200);
  }

  private Socket begin() throws IOException {
    Socket socket = new Socket("127.0.0.1", server.uri("/").getPort());
    OutputStream out = socket.getOutputStream();
    out.write(
        ("POST /mezzo/modules/install?name=hooks.jar HTTP/1.1\r\nHost: here\r\n"
                + "Content-Length: 900\r\n\r\nbegun")
            .getBytes(StandardCharsets.US_ASCII));
    out.flush();
    return socket;
  }

  private void awaitUnderWay(int number) {
    Await.until(() -> metrics.snapshot().get("master/mezzo/module_uploads") == number);
  }

  @Test
  void whatIsCutOffLeavesNothing() throws Exception {
    try (Socket socket = begin()) {
      awaitUnderWay(1);
      assertThat(folder).isNotEmptyDirectory();
      socket.shutdownOutput();
      try (InputStream in = socket.getInputStream()) {
        in.readAllBytes();
      }
    }
    awaitNothingLeft();
    assertThat(deployments.asked).isEmpty();
    assertThat(count("cut_off")).isEqualTo(1);
  }

  @Test
  void onlySoManyAreReceivedAtATime() throws Exception {
    List<Socket> sockets = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      sockets.add(begin());
    }
    awaitUnderWay(4);
    HttpResponse<String> fifth = post("install?name=hooks.jar", JAR);
    assertThat(fifth.statusCode()).isEqualTo(503);
    assertThat(fifth.body()).contains("4 modules are being sent already");
    assertThat(count("turned_away")).isEqualTo(1);
    for (Socket socket : sockets) {
      socket.close();
    }
    awaitNothingLeft();
    assertThat(post("install?name=hooks.jar", JAR).statusCode()).isEqualTo(200);
    assertThat(metrics.snapshot()).containsAllEntriesOf(Map.of("master/mezzo/module_uploads", 0.0));
  }
}
