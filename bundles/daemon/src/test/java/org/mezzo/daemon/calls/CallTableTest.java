package org.mezzo.daemon.calls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestEndpoint;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Event;
import org.mezzo.protocol.v1.master.Response;

class CallTableTest {
  private final Workers workers = new Workers("test", 2);
  private final List<Question> asked = new ArrayList<>();
  private final ConcurrentLinkedQueue<Call.Type> served = new ConcurrentLinkedQueue<>();
  private Optional<CompletableFuture<Boolean>> verdict = Optional.empty();
  private TestServer server;

  @AfterEach
  void close() {
    if (server != null) {
      server.close();
    }
    workers.close();
  }

  private final MetricsRegistry metrics = new MetricsRegistry();

  private interface Body {
    void serve(Call call, CallExchange exchange) throws Exception;
  }

  private record One(CallDeclaration<Call> declaration, Body body) implements ApiCall<Call> {
    @Override
    public void handle(Call call, CallExchange exchange) throws Exception {
      body.serve(call, exchange);
    }
  }

  private ApiCall<Call> call(Call.Type type, Permission<Call> permission) {
    return new One(
        CallDeclaration.of(type, permission, "Helps"),
        (call, exchange) -> {
          served.add(call.getType());
          exchange.ok();
        });
  }

  private Authorization authorization() {
    return verdict
        .map(
            yes ->
                Authorization.by(
                    (subject, actions) ->
                        yes.thenApply(
                            allowed ->
                                ObjectApprovers.of(
                                    actions,
                                    (action, object) -> {
                                      asked.add(new Question(action, object));
                                      return allowed;
                                    }))))
        .orElseGet(Authorization::none);
  }

  @SafeVarargs
  private CallTable<Call> table(ApiCall<Call>... calls) {
    return new CallTable<>(
        Call.getDefaultInstance(), authorization(), workers, metrics, "calls", List.of(calls));
  }

  @SafeVarargs
  private HttpResponse<String> post(String body, ApiCall<Call>... calls) throws Exception {
    CallTable<Call> table = table(calls);
    Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
    router.add(
        TestEndpoint.of(
            "/api/v1",
            Access.NONE,
            new CallEndpoint<>(Call.getDefaultInstance(), "master::Call", workers, table::handle)
                .validate(table::problem)));
    server = new TestServer(router);
    return server.send(
        "POST", "/api/v1", body.getBytes("UTF-8"), "Content-Type", "application/json");
  }

  @Test
  void aCallGoesToItsClass() throws Exception {
    var answer =
        post(
            "{\"type\":\"GET_AGENTS\"}",
            call(Call.Type.GET_TASKS, Permission.none("for the test")),
            call(Call.Type.GET_AGENTS, Permission.none("for the test")));
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(served).containsExactly(Call.Type.GET_AGENTS);
    assertThat(metrics.snapshot())
        .containsKeys("calls/get_agents_ms", "calls/get_agents_ms/p99")
        .containsEntry("calls/get_agents_ms/count", 1.0)
        .doesNotContainKey("calls/get_tasks_ms");
  }

  /** On whichever way a call meets an executor that is full. */
  @Test
  void aCallWhoseAnswerNoThreadMakesIsToldToComeAgain() throws Exception {
    Workers full = new Workers("full", 1);
    full.close();
    Permission<Call> none = Permission.none("for the test");
    CompletableFuture<Integer> result = new CompletableFuture<>();
    List<Body> bodies =
        List.of(
            (call, exchange) ->
                exchange.respondWhen(
                    CompletableFuture.completedFuture(1)
                        .thenApplyAsync(one -> Response.getDefaultInstance(), full)),
            (call, exchange) -> {
              exchange.respondWhen(
                  result.thenApplyAsync(one -> Response.getDefaultInstance(), full));
              workers.execute(() -> result.complete(1));
            },
            (call, exchange) -> {
              workers.close();
              exchange.ok();
            });
    for (Body body : bodies) {
      var answer =
          post(
              "{\"type\":\"GET_AGENTS\"}",
              new One(CallDeclaration.of(Call.Type.GET_AGENTS, none, "Helps"), body));
      server.close();
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body()).contains("overloaded");
      assertThat(answer.headers().firstValue("Retry-After")).contains("1");
    }
  }

  @Test
  void anUnknownTypeIsNotServedAndSaysSo() throws Exception {
    var answer =
        post(
            "{\"type\":\"GET_QUOTA\"}", call(Call.Type.GET_TASKS, Permission.none("for the test")));
    assertThat(answer.statusCode()).isEqualTo(501);
    assertThat(answer.body()).contains("GET_QUOTA");
  }

  @Test
  void aCallHasToCarryItsMessage() throws Exception {
    ApiCall<Call> metrics =
        new One(
            CallDeclaration.<Call>of(
                    Call.Type.GET_METRICS, Permission.none("for the test"), "Helps")
                .carrying("get_metrics"),
            (call, exchange) -> exchange.ok());
    var answer = post("{\"type\":\"GET_METRICS\"}", metrics);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body())
        .isEqualTo("Failed to validate master::Call: Expecting 'get_metrics' to be present");
    server.close();
    assertThat(post("{\"type\":\"GET_METRICS\",\"get_metrics\":{}}", metrics).statusCode())
        .isEqualTo(200);
    assertThat(table(metrics).problem(Call.getDefaultInstance()))
        .contains("Expecting 'type' to be present");
  }

  @Test
  void aCallThatIsNotServedIsToldWhatItLacksFirst() throws Exception {
    ApiCall<Call> weights = NotServed.of(Call.Type.UPDATE_WEIGHTS, "update_weights");
    var lacking = post("{\"type\":\"UPDATE_WEIGHTS\"}", weights);
    assertThat(lacking.statusCode()).isEqualTo(400);
    assertThat(lacking.body())
        .isEqualTo("Failed to validate master::Call: Expecting 'update_weights' to be present");
    server.close();
    var whole = post("{\"type\":\"UPDATE_WEIGHTS\",\"update_weights\":{}}", weights);
    assertThat(whole.statusCode()).isEqualTo(501);
    assertThat(whole.body())
        .startsWith("501 Not Implemented. The call UPDATE_WEIGHTS is not served");
    server.close();
    var without =
        post("{\"type\":\"GET_OPERATIONS\"}", NotServed.<Call>of(Call.Type.GET_OPERATIONS));
    assertThat(without.statusCode()).isEqualTo(501);
  }

  @Test
  void whatACallFindsWrongComesAfterWhatItLacksAndBeforeAnybodyIsAsked() throws Exception {
    verdict = Optional.of(CompletableFuture.completedFuture(true));
    record Judging(CallDeclaration<Call> declaration) implements ApiCall<Call> {
      @Override
      public Optional<String> problem(Call call) {
        return call.getReadFile().getPath().isEmpty()
            ? Optional.of("'path' must not be empty")
            : Optional.empty();
      }

      @Override
      public void handle(Call call, CallExchange exchange) {
        exchange.ok();
      }
    }
    ApiCall<Call> judging =
        new Judging(
            CallDeclaration.<Call>of(
                    Call.Type.READ_FILE, Permission.of(Action.ACCESS_SANDBOX), "Helps")
                .carrying("read_file"));
    assertThat(post("{\"type\":\"READ_FILE\"}", judging).body())
        .isEqualTo("Failed to validate master::Call: Expecting 'read_file' to be present");
    server.close();
    var empty =
        post("{\"type\":\"READ_FILE\",\"read_file\":{\"path\":\"\",\"offset\":0}}", judging);
    assertThat(empty.statusCode()).isEqualTo(400);
    assertThat(empty.body()).isEqualTo("Failed to validate master::Call: 'path' must not be empty");
    assertThat(asked).isEmpty();
  }

  @Test
  void asksAboutWhatTheCallNamesAndServesOnlyWithLeave() throws Exception {
    CompletableFuture<Boolean> later = new CompletableFuture<>();
    verdict = Optional.of(later);
    ApiCall<Call> read =
        call(
            Call.Type.READ_FILE,
            Permission.about(
                Action.ACCESS_SANDBOX, call -> Optional.of(call.getReadFile().getPath())));
    later.complete(false);
    var answer =
        post("{\"type\":\"READ_FILE\",\"read_file\":{\"path\":\"/a\",\"offset\":0}}", read);
    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(served).isEmpty();
    assertThat(asked).containsExactly(Question.about(Action.ACCESS_SANDBOX, "/a"));
  }

  @Test
  void aVerdictThatComesLaterIsServedThen() throws Exception {
    CompletableFuture<Boolean> later = new CompletableFuture<>();
    verdict = Optional.of(later);
    workers.execute(() -> later.complete(true));
    var answer =
        post(
            "{\"type\":\"GET_FLAGS\"}",
            call(Call.Type.GET_FLAGS, Permission.of(Action.VIEW_FLAGS)));
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(served).containsExactly(Call.Type.GET_FLAGS);
  }

  @Test
  void everyWayToFailIsAnswered() throws Exception {
    ApiCall<Call> refuses =
        new One(
            CallDeclaration.of(Call.Type.GET_FLAGS, Permission.none("for the test"), "Helps"),
            (call, exchange) -> {
              throw new Refused(409, "taken");
            });
    var answer = post("{\"type\":\"GET_FLAGS\"}", refuses);
    assertThat(answer.statusCode()).isEqualTo(409);
    assertThat(answer.body()).isEqualTo("taken");
    server.close();
    CompletableFuture<Response> late = new CompletableFuture<>();
    ApiCall<Call> failsLater =
        new One(
            CallDeclaration.of(Call.Type.GET_FLAGS, Permission.none("for the test"), "Helps"),
            (call, exchange) -> {
              exchange.respondWhen(late.thenApply(it -> it));
              late.completeExceptionally(new Refused(404, "gone"));
            });
    assertThat(post("{\"type\":\"GET_FLAGS\"}", failsLater).statusCode()).isEqualTo(404);
    server.close();
    ApiCall<Call> breaks =
        new One(
            CallDeclaration.of(Call.Type.GET_FLAGS, Permission.none("for the test"), "Helps"),
            (call, exchange) -> exchange.respondWhen(CompletableFuture.failedFuture(new Error())));
    assertThat(post("{\"type\":\"GET_FLAGS\"}", breaks).statusCode()).isEqualTo(500);
  }

  @Test
  void aWrongDeclarationDoesNotStart() {
    assertThatThrownBy(() -> table(call(Call.Type.GET_FLAGS, null)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("does not declare");
    assertThatThrownBy(
            () ->
                table(
                    call(Call.Type.GET_FLAGS, Permission.of(Action.VIEW_FLAGS)),
                    call(Call.Type.GET_FLAGS, Permission.of(Action.VIEW_FLAGS))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("GET_FLAGS is declared by");
    assertThatThrownBy(
            () ->
                table(
                    new One(
                        CallDeclaration.<Call>of(
                                Call.Type.GET_FLAGS, Permission.none("for the test"), "Helps")
                            .carrying("get_flag"),
                        (call, exchange) -> {})))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("'get_flag'");
    assertThatThrownBy(
            () ->
                table(
                    new One(
                        CallDeclaration.of(
                            Event.Type.AGENT_ADDED, Permission.none("for the test"), "Helps"),
                        (call, exchange) -> {})))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("AGENT_ADDED");
    assertThatThrownBy(() -> Permission.none(" ")).isInstanceOf(IllegalArgumentException.class);
  }
}
