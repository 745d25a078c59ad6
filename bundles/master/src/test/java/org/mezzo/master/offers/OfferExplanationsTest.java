package org.mezzo.master.offers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.Hindrance.Reason;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferExplanation.OnAgent;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.fixtures.Await;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;

/** What an operator is told about offers, by HTTP and in the shell. */
@Timeout(60)
class OfferExplanationsTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final OfferExplanation ANSWER =
      OfferExplanation.builder()
          .agents(
              List.of(
                  new OnAgent(
                      "S1",
                      "host",
                      List.of(
                          Hindrance.builder(Reason.FILTERED, "it refused that")
                              .until(Optional.of(Instant.EPOCH))
                              .build(),
                          Hindrance.builder(Reason.HEADROOM, "held back")
                              .otherRoles(List.of("seen", "hidden"))
                              .build()))))
          .looked(3)
          .free(2)
          .counts(Map.of(Reason.FILTERED, 1, Reason.HEADROOM, 1))
          .build();

  @TempDir Path workDir;

  private static CompletableFuture<String> ask(TestCluster cluster, String query) {
    URI uri =
        URI.create(
            "http://127.0.0.1:" + cluster.address().getPort() + "/mezzo/offers/explain?" + query);
    return CLIENT
        .sendAsync(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
        .thenApply(answer -> answer.statusCode() + " " + answer.body());
  }

  private static String get(TestCluster cluster, String query) throws Exception {
    return ask(cluster, query).get();
  }

  @Test
  void theAllocatorsAnswerIsTold() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      scheduler.subscribed(TestScheduler.info("seen").build());
      String id = "framework_id=" + scheduler.id;
      cluster.allocator.explaining =
          question -> {
            assertThat(question.frameworkId()).isEqualTo(scheduler.id);
            assertThat(question.role()).isEqualTo("seen");
            return ANSWER;
          };
      assertThat(get(cluster, id))
          .isEqualTo(
              "200 {\"framework_id\":\""
                  + scheduler.id
                  + "\",\"role\":\"seen\",\"offers_not_answered\":0,\"everywhere\":[],"
                  + "\"agents_looked_at\":3,\"agents_without_hindrance\":2,"
                  + "\"agents_by_reason\":{\"HEADROOM\":1,\"FILTERED\":1},\"agents\":["
                  + "{\"agent_id\":\"S1\",\"hostname\":\"host\",\"hindrances\":["
                  + "{\"reason\":\"FILTERED\",\"text\":\"it refused that\","
                  + "\"until\":\"1970-01-01T00:00:00Z\"},"
                  + "{\"reason\":\"HEADROOM\",\"text\":\"held back\","
                  + "\"roles\":[\"hidden\",\"seen\"]}]}]}");
      assertThat(cluster.master.offerCommands().explain(scheduler.id).lines())
          .containsExactly(
              "2 of 3 agents can be offered under role seen; 0 offers are not answered",
              "S1 (host): FILTERED, it refused that, until 1970-01-01T00:00:00Z",
              "S1 (host): HEADROOM, held back (hidden, seen)");
      assertThatThrownBy(() -> cluster.master.offerCommands().explain("nobody"))
          .hasMessageContaining("No framework has the id 'nobody'");
      cluster.allocator.explaining =
          question ->
              OfferExplanation.builder().looked(question.agentId().isPresent() ? 1 : 2).build();
      assertThat(get(cluster, id + "&role=seen&agent_id=S1&limit=0"))
          .contains("\"agents_looked_at\":1");
    }
  }

  @Test
  void badQuestionsAreToldWhatIsWrong() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      scheduler.subscribed(TestScheduler.info("a").addRoles("b").build());
      String id = "framework_id=" + scheduler.id;
      assertThat(get(cluster, "role=a"))
          .isEqualTo("400 Query parameter 'framework_id' is missing: which framework is meant");
      assertThat(get(cluster, "framework_id=nobody")).startsWith("404 No framework has the id");
      assertThat(get(cluster, id))
          .isEqualTo("400 Say by 'role' which one is meant: the framework has a, b");
      for (String limit : List.of("-1", "10001", "x")) {
        assertThat(get(cluster, id + "&role=a&limit=" + limit))
            .isEqualTo(
                "400 Query parameter 'limit' is '" + limit + "': give a number from 0 to 10000");
      }
      cluster.allocator.explaining = null;
      assertThat(get(cluster, id + "&role=a"))
          .isEqualTo("501 This allocator does not explain itself");
      cluster.registered.close();
      Await.until(() -> get(cluster, id + "&role=a").contains("NO_ALLOCATOR"));
      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      assertThat(get(cluster, id + "&role=a")).startsWith("503 ");
    }
  }

  @Test
  void theShellCompletesWhatAQuestionHas() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      scheduler.subscribed(TestScheduler.info("a").addRoles("b").build());
      OfferCommands commands = cluster.master.offerCommands();
      assertThat(commands.apply(List.of("explain"))).containsExactly(scheduler.id);
      assertThat(commands.apply(List.of("explain", scheduler.id)))
          .containsExactlyInAnyOrder("a", "b");
      assertThat(commands.apply(List.of("explain", "nobody"))).isEmpty();
      assertThat(commands.apply(List.of("explain", scheduler.id, "a")))
          .containsExactlyElementsOf(
              cluster.master.cluster().state().orElseThrow().agents().keySet());
      assertThat(commands.apply(List.of("modules"))).isEmpty();
      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      assertThat(commands.apply(List.of("explain"))).isEmpty();
    }
  }

  @Test
  void rolesAreNamedToThoseWhoMaySeeThem() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}");
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      Authorizer authorizer =
          (subject, actions) ->
              (action, object) ->
                  action != Action.VIEW_ROLE || !object.value().equals(Optional.of("hidden"));
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      scheduler.subscribed(TestScheduler.info("seen").addRoles("hidden").build());
      cluster.allocator.explaining = question -> ANSWER;
      String id = "framework_id=" + scheduler.id;
      assertThat(get(cluster, id + "&role=hidden")).isEqualTo("403 403 Forbidden.");
      assertThat(get(cluster, id)).contains("\"role\":\"seen\"", "\"roles\":[\"seen\"]");
    }
  }

  /** Nor are more taken than can be answered soon. */
  @Test
  void anAllocatorThatHangsHoldsNobodyElse() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      scheduler.subscribed(TestScheduler.info("a").build());
      String query = "framework_id=" + scheduler.id;
      cluster.allocator.explaining =
          question -> {
            try {
              release.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return ANSWER;
          };
      List<CompletableFuture<String>> waiting = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        waiting.add(ask(cluster, query));
      }
      Await.until(
          () -> cluster.master.metrics().snapshot().get("allocator/mezzo/questions") == 4.0);
      assertThat(get(cluster, query))
          .isEqualTo("503 The allocator is asked 4 questions already; ask later");
      assertThat(cluster.master.metrics().snapshot().get("allocator/mezzo/questions_refused"))
          .isEqualTo(1);
      HttpRequest state =
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/state"))
              .timeout(Duration.ofSeconds(60))
              .build();
      assertThat(CLIENT.send(state, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(200);
      CompletableFuture<Void> loop = new CompletableFuture<>();
      cluster.master.loop().execute(() -> loop.complete(null));
      loop.get();
      assertThat(waiting).noneMatch(CompletableFuture::isDone);
      release.countDown();
      for (CompletableFuture<String> one : waiting) {
        assertThat(one.get()).startsWith("200 ");
      }
      assertThat(get(cluster, query)).startsWith("200 ");
    } finally {
      release.countDown();
    }
  }
}
