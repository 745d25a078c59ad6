package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.TestEndpoint;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpResponse;

class RouterTest {
  private final Workers workers = new Workers("test", 2);
  private TestServer server;
  private Router router;
  private volatile CompletableFuture<Authentication.Verdict> verdict;

  @BeforeEach
  void open() throws Exception {
    router = new Router("slave(1)", (exchange, access) -> verdict, Authorization.none(), workers);
    for (String path :
        List.of(
            "/",
            "/api/v1",
            "/api/v1/scheduler",
            "/state",
            "/system/stats.json",
            "/metrics",
            "/metrics/snapshot",
            "/files/read")) {
      router.add(
          TestEndpoint.of(
              path,
              Access.NONE,
              (it, who) -> it.respond(HttpResponse.text(200, "endpoint " + path))));
    }
    router.add(
        TestEndpoint.of(
            "/secret",
            Access.READONLY,
            (it, who) ->
                it.respond(
                    HttpResponse.text(200, who.flatMap(Principal::value).orElse("nobody")))));
    router.add(
        TestEndpoint.of(
            "/broken",
            Access.NONE,
            (it, who) -> {
              throw new IllegalStateException("on purpose");
            }));
    server = new TestServer(router);
  }

  @AfterEach
  void close() {
    server.close();
    workers.close();
  }

  @ParameterizedTest
  @CsvSource({
    "/, /",
    "/slave(1), /",
    "/slave(1)/, /",
    "/slave%281%29/state, /state",
    "/state, /state",
    "/state/, /state",
    "/state.json, /state",
    "/slave(1)/state.json, /state",
    "/state?jsonp=x, /state",
    "/system/stats.json, /system/stats.json",
    "/metrics/snapshot.json, /metrics/snapshot",
    "/metrics/other.json, /metrics",
    "/api/v1, /api/v1",
    "/api/v1/, /api/v1",
    "/api/v1/operator, /api/v1",
    "/slave(1)/api/v1/scheduler/, /api/v1/scheduler",
    "/files/read?path=/a, /files/read",
    "//, /",
    "//slave(1)//, /",
    "//state, /state",
    "///state, /state",
    "//slave(1)/state, /state",
    "/slave(1)//state, /state",
    "//slave(1)///state//, /state",
    "/slave(1)//state.json, /state",
    "//api/v1, /api/v1",
    "/slave(1)//api/v1/scheduler, /api/v1/scheduler",
  })
  void findsTheLongestPrefix(String path, String endpoint) throws Exception {
    var answer = server.get(path);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEqualTo("endpoint " + endpoint);
  }

  @ParameterizedTest
  @CsvSource({
    "/nope",
    "/stateful",
    "/slave(1)/nope",
    "/slave(1)x/state",
    "/master/state",
    "/api",
    "/files",
    "/slave(1)%2Fstate",
    "/does/not/exist",
    "/files//read",
    "//slave(1)//nope",
    "/favicon.ico"
  })
  void answersUnknownPathsWith404(String path) throws Exception {
    var answer = server.get(path);
    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).isEqualTo("404 Not Found.");
    assertThat(answer.headers().firstValue("Content-Type")).contains("text/plain; charset=utf-8");
  }

  @Test
  void namesTheWayOutToOldDrivers() throws Exception {
    var answer =
        server.send(
            "POST",
            "/master/mesos.internal.RegisterFrameworkMessage",
            new byte[0],
            "Libprocess-From",
            "scheduler(1)@127.0.0.1:1");
    assertThat(answer.statusCode()).isEqualTo(501);
    assertThat(answer.body()).contains("driver");
  }

  @Test
  void answersFailuresWith500() throws Exception {
    assertThat(server.get("/broken").statusCode()).isEqualTo(500);
  }

  @Test
  void disablesEndpointsUnderAllTheirNames() throws Exception {
    router.disable(
        FirewallRules.disabledPaths("{\"disabled_endpoints\": {\"paths\": [\"/state\"]}}"));
    for (String path :
        List.of(
            "/state",
            "/state/",
            "/state.json",
            "/slave(1)/state",
            "//state",
            "/slave(1)//state",
            "//slave(1)/state.json")) {
      var answer = server.get(path);
      assertThat(answer.statusCode()).as(path).isEqualTo(403);
      assertThat(answer.body()).contains("is disabled");
    }
    assertThat(server.get("/api/v1").statusCode()).isEqualTo(200);
    assertThatThrownBy(() -> FirewallRules.disabledPaths("{\"paths\": []}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--firewall_rules expects");
  }

  @Test
  void asksBeforeItLetsPass() throws Exception {
    verdict =
        CompletableFuture.completedFuture(
            Authentication.Verdict.pass(Optional.of(Principal.named("ann"))));
    assertThat(server.get("/secret").body()).isEqualTo("ann");
    verdict =
        CompletableFuture.completedFuture(
            Authentication.Verdict.refuse(HttpResponse.text(401, "401 Unauthorized.")));
    assertThat(server.get("/secret").statusCode()).isEqualTo(401);
    verdict = CompletableFuture.failedFuture(new IllegalStateException("on purpose"));
    assertThat(server.get("/secret").statusCode()).isEqualTo(503);
    verdict = new CompletableFuture<>();
    workers.execute(() -> verdict.complete(Authentication.Verdict.pass(Optional.empty())));
    assertThat(server.get("/secret").body()).isEqualTo("nobody");
  }

  @Test
  void anOverloadedDaemonSaysSoWhenItHadToAsk() throws Exception {
    CompletableFuture<Authentication.Verdict> later = new CompletableFuture<>();
    Workers full = new Workers("full", 1);
    full.close();
    Router overloaded =
        new Router("master", (exchange, access) -> later, Authorization.none(), full);
    overloaded.add(
        TestEndpoint.of(
            "/state", Access.READONLY, (it, who) -> it.respond(HttpResponse.status(200))));
    try (TestServer busy = new TestServer(overloaded)) {
      workers.execute(
          () -> {
            while (later.getNumberOfDependents() == 0) {
              Thread.onSpinWait();
            }
            later.complete(Authentication.Verdict.pass(Optional.empty()));
          });
      var answer = busy.get("/state");
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body()).contains("overloaded");
      assertThat(answer.headers().firstValue("Retry-After")).contains("1");
    }
  }

  /** Wherever on its way a request meets an executor that is full, it is answered. */
  @Test
  void workThatNoThreadTakesIsAnsweredAsOverload() throws Exception {
    Workers full = new Workers("full", 1);
    full.close();
    router.add(
        TestEndpoint.of(
            "/at-once", Access.NONE, (it, who) -> full.execute(() -> it.respond(ok()))));
    router.add(
        TestEndpoint.of(
            "/then",
            Access.NONE,
            (it, who) ->
                Router.when(
                    it,
                    CompletableFuture.completedFuture(1).thenApplyAsync(one -> ok(), full),
                    workers,
                    it::respond)));
    router.add(
        TestEndpoint.of(
            "/later",
            Access.NONE,
            (it, who) -> {
              CompletableFuture<Integer> result = new CompletableFuture<>();
              Router.when(
                  it,
                  result
                      .thenComposeAsync(one -> CompletableFuture.completedFuture(2), full)
                      .thenApply(two -> ok()),
                  workers,
                  it::respond);
              workers.execute(() -> result.complete(1));
            }));
    for (String path : List.of("/at-once", "/then", "/later")) {
      var answer = server.get(path);
      assertThat(answer.statusCode()).as(path).isEqualTo(503);
      assertThat(answer.body()).as(path).contains("overloaded");
      assertThat(answer.headers().firstValue("Retry-After")).as(path).contains("1");
    }
  }

  /** On a worker, where nobody else would answer. */
  @Test
  void anEndpointThatRunsIntoAnErrorIsAnswered() throws Exception {
    router.add(
        TestEndpoint.of(
            "/error",
            Access.NONE,
            (it, who) ->
                Router.when(
                    it,
                    CompletableFuture.completedFuture(1),
                    workers,
                    one -> {
                      throw new StackOverflowError("on purpose");
                    })));
    assertThat(server.get("/error").statusCode()).isEqualTo(500);
  }

  private static HttpResponse ok() {
    return HttpResponse.status(200);
  }

  @Test
  void howLongAnswersTakeIsMeasuredForEachRouteAndForNothingElse() throws Exception {
    MetricsRegistry metrics = new MetricsRegistry();
    router.measure(metrics, "slave/mezzo/endpoints");
    verdict =
        CompletableFuture.completedFuture(
            new Authentication.Verdict(Optional.empty(), Optional.empty()));
    for (String path :
        List.of(
            "/state", "/slave(1)/state.json", "/files/read/a/b", "/secret", "/none", "/broken")) {
      server.get(path);
    }
    assertThat(
            metrics.snapshot().keySet().stream()
                .filter(name -> name.endsWith("_ms/count"))
                .toList())
        .containsExactlyInAnyOrder(
            "slave/mezzo/endpoints/state_ms/count",
            "slave/mezzo/endpoints/files/read_ms/count",
            "slave/mezzo/endpoints/secret_ms/count",
            "slave/mezzo/endpoints/broken_ms/count");
    assertThat(metrics.snapshot()).containsEntry("slave/mezzo/endpoints/state_ms/count", 2.0);
  }
}
