package org.mezzo.master.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.fixtures.Await;
import org.mezzo.master.testing.Operator;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.WeightInfo;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;
import org.mezzo.protocol.v1.scheduler.Event;

/** Weights as operators change and see them (rules 265 and 266). */
class WeightsTest {
  @TempDir Path workDir;

  private static Call update(String role, double weight) {
    Call.Builder call = Call.newBuilder().setType(Call.Type.UPDATE_WEIGHTS);
    call.getUpdateWeightsBuilder()
        .addWeightInfos(WeightInfo.newBuilder().setRole(role).setWeight(weight));
    return call.build();
  }

  @Test
  void areSetInEveryFormAndOutliveTheTerm() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "weights=flag=7")) {
      Operator operator = new Operator(cluster);
      assertThat(
              operator.request(
                  "PUT",
                  "/weights",
                  "[{\"role\":\"w1\",\"weight\":2.5},{\"role\":\"w2/x\"," + "\"weight\":1}]"))
          .isEqualTo("200");
      assertThat(
              operator.call(
                  "{\"type\":\"UPDATE_WEIGHTS\",\"update_weights\":{\"weight_infos\":"
                      + "[{\"role\":\" w1 \",\"weight\":4}]}}"))
          .isEqualTo("200");
      assertThat(Operator.text(operator.call(update("w3", 3)))).isEqualTo("200");
      // A call without roles is none to complain about.
      assertThat(operator.call("{\"type\":\"UPDATE_WEIGHTS\",\"update_weights\":{}}"))
          .isEqualTo("200");

      String all =
          "200 [{\"role\":\"flag\",\"weight\":7.0},{\"role\":\"w1\",\"weight\":4.0},"
              + "{\"role\":\"w2/x\",\"weight\":1.0},{\"role\":\"w3\",\"weight\":3.0}]";
      assertThat(operator.request("GET", "/weights", "")).isEqualTo(all);
      assertThat(operator.request("GET", "/roles", "")).contains("{\"name\":\"w2\"");
      HttpResponse<byte[]> seen =
          operator.call(Call.newBuilder().setType(Call.Type.GET_WEIGHTS).build());
      assertThat(Response.parseFrom(seen.body()).getGetWeights().getWeightInfosList())
          .extracting(WeightInfo::getRole)
          .containsExactly("flag", "w1", "w2/x", "w3");

      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      cluster.coordination.elect();
      Await.until(() -> cluster.master.cluster().state().isPresent());
      assertThat(operator.request("GET", "/weights", "")).isEqualTo(all);
      Await.until(() -> cluster.allocator.weights.size() == 4);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "x|400 Failed to parse update weights request JSON ('x'): syntax error at line 1",
        "{}|400 Failed to convert weights JSON array to protobuf ('{}'): Expecting a JSON array",
        "[1]|400 Failed to convert weights JSON array to protobuf ('[1]'): Expecting an array of",
        "[{\"role\":\"a\"}]|400 Failed to convert weights JSON array to protobuf"
            + " ('[{\"role\":\"a\"}]'): Missing required fields: weight",
        "[{\"role\":\"w\",\"weight\":2},{\"role\":\"w\",\"weight\":-1}]|400 Failed to validate"
            + " update weights request JSON for role 'w': Invalid weight '-1': Weights must be"
            + " positive",
        "[{\"role\":\"w\",\"weight\":2},{\"role\":\"a b\",\"weight\":1}]|400 Failed to validate"
            + " update weights request JSON: Invalid role 'a b': Role 'a b' cannot contain",
      })
  void badOnesChangeNothing(String body, String answer) throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      Operator operator = new Operator(cluster);
      assertThat(operator.request("PUT", "/weights", body)).startsWith(answer);
      assertThat(operator.request("GET", "/weights", "")).isEqualTo("200 []");
      assertThat(operator.request("POST", "/weights", "[]"))
          .isEqualTo(
              "405 405 Method Not Allowed. Expecting one of { 'GET', 'PUT' }, but received"
                  + " 'POST'.");
    }
  }

  @Test
  void everyRoleNeedsLeaveAndWhatIsWrongIsToldFirst() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Authorizer onlyA =
          (subject, actions) ->
              (action, object) ->
                  action != Action.UPDATE_WEIGHT || object.value().equals(Optional.of("a"));
      cluster.modules.register(Kinds.AUTHORIZER, "local", onlyA);
      cluster.modules.awaitHolders();
      Operator operator = new Operator(cluster);
      assertThat(operator.request("PUT", "/weights", "[{\"role\":\"a\",\"weight\":2}]"))
          .isEqualTo("200");
      assertThat(
              operator.request(
                  "PUT",
                  "/weights",
                  "[{\"role\":\"a\",\"weight\":3},{\"role\":\"b\"," + "\"weight\":2}]"))
          .isEqualTo("403 403 Forbidden.");
      assertThat(Operator.text(operator.call(update("b", 2)))).isEqualTo("403 403 Forbidden.");
      assertThat(Operator.text(operator.call(update("b", -2)))).startsWith("400 ");
      assertThat(cluster.state().weights()).isEqualTo(Map.of("a", 2.0));
    }
  }

  @Test
  void anOfferIsRescindedWhenTheWeightOfARoleInUseChanges() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      cluster.agent(5051, "cpus:4;mem:1000");
      Event offers = scheduler.await(Event.Type.OFFERS);
      assertThat(Operator.text(new Operator(cluster).call(update("a", 2)))).isEqualTo("200");
      assertThat(scheduler.await(Event.Type.RESCIND).getRescind().getOfferId())
          .isEqualTo(offers.getOffers().getOffers(0).getId());
    }
  }

  @Test
  void whoeverWaitsWhenTheTermEndsIsToldThatItIsNotKnown() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      CompletableFuture<Void> held = new CompletableFuture<>();
      cluster.coordination.written = held;
      CompletableFuture<String> answer =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return Operator.text(new Operator(cluster).call(update("a", 2)));
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      Await.until(() -> cluster.coordination.stored.containsKey("policy/weights"));
      cluster.coordination.depose();
      assertThat(answer.get()).startsWith("503 This master leads no longer");
      held.complete(null);
    }
  }
}
