package org.mezzo.master.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;
import org.mezzo.protocol.v1.quota.QuotaConfig;
import org.mezzo.protocol.v1.scheduler.Event;

/** Quotas as operators change and see them (rules 257 to 264). */
class QuotasTest {
  private static final String CPU =
      "\"guarantee\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1}}]}";

  @TempDir Path workDir;

  private static Call limit(String role, double cpus) {
    Call.Builder call = Call.newBuilder().setType(Call.Type.UPDATE_QUOTA);
    call.getUpdateQuotaBuilder()
        .addQuotaConfigs(
            QuotaConfig.newBuilder()
                .setRole(role)
                .putLimits("cpus", Value.Scalar.newBuilder().setValue(cpus).build()));
    return call.build();
  }

  @Test
  void areSetInEveryFormAndOutliveTheTerm() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      cluster.agent(5051, "cpus:4;mem:1000");
      Operator operator = new Operator(cluster);
      assertThat(operator.request("GET", "/quota", "")).isEqualTo("200 {}");
      assertThat(operator.call("{\"type\":\"GET_QUOTA\"}"))
          .isEqualTo("200 {\"type\":\"GET_QUOTA\",\"get_quota\":{\"status\":{}}}");

      assertThat(operator.request("POST", "/quota", "{\"role\":\"old\"," + CPU)).isEqualTo("200");
      assertThat(
              operator.call(
                  "{\"type\":\"SET_QUOTA\",\"set_quota\":{\"quota_request\":{\"role\":\"older\","
                      + CPU
                      + "}}"))
          .isEqualTo("200");
      assertThat(
              operator.call(
                  "{\"type\":\"UPDATE_QUOTA\",\"update_quota\":{\"quota_configs\":[{\"role\":"
                      + "\"q\",\"guarantees\":{\"cpus\":{\"value\":1}},\"limits\":{\"cpus\":"
                      + "{\"value\":2},\"mem\":{\"value\":512}}}]}}"))
          .isEqualTo("200");
      assertThat(Operator.text(operator.call(limit("binary", 3)))).isEqualTo("200");
      assertThat(operator.call("{\"type\":\"UPDATE_QUOTA\",\"update_quota\":{}}")).isEqualTo("200");

      assertThat(operator.request("DELETE", "/quota/old", "")).isEqualTo("200");
      assertThat(operator.call("{\"type\":\"REMOVE_QUOTA\",\"remove_quota\":{\"role\":\"older\"}}"))
          .isEqualTo("200");

      String all =
          "200 {\"infos\":[{\"role\":\"binary\"},{\"role\":\"q\",\"guarantee\":[{\"name\":"
              + "\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1.0}}]}],\"configs\":[{"
              + "\"role\":\"binary\",\"limits\":{\"cpus\":{\"value\":3.0}}},{\"role\":\"q\","
              + "\"guarantees\":{\"cpus\":{\"value\":1.0}},\"limits\":{\"cpus\":{\"value\":2.0},"
              + "\"mem\":{\"value\":512.0}}}]}";
      assertThat(operator.request("GET", "/quota", "")).isEqualTo(all);
      assertThat(operator.request("GET", "/roles", ""))
          .contains(
              "\"quota\":{\"role\":\"q\",\"guarantee\":{\"cpus\":1.0},\"limit\":{\"cpus\":2.0,"
                  + "\"mem\":512.0},\"consumed\":{}}");
      Response seen =
          Response.parseFrom(
              operator.call(Call.newBuilder().setType(Call.Type.GET_QUOTA).build()).body());
      assertThat(seen.getGetQuota().getStatus().getConfigsList())
          .extracting(QuotaConfig::getRole)
          .containsExactly("binary", "q");

      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      cluster.coordination.elect();
      Await.until(() -> cluster.master.cluster().state().isPresent());
      assertThat(operator.request("GET", "/quota", "")).isEqualTo(all);
      Await.until(() -> cluster.allocator.quotas.keySet().equals(Set.of("binary", "q")));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "POST|/quota|x|400 Failed to parse set quota request JSON 'x': syntax error at line 1",
        "POST|/quota|[]|400 Failed to validate set quota request JSON '[]': Expecting a JSON",
        "POST|/quota|{\"role\":\"q\"}|400 Failed to validate set quota request: QuotaInfo with"
            + " empty 'guarantee'",
        "POST|/quota|{"
            + CPU
            + "|400 Failed to validate set quota request: QuotaInfo with"
            + " invalid role: Role names cannot be the empty string",
        "POST|/quota|{\"role\":\"q\"," + CPU + "|409 Quota guarantees overcommit the cluster",
        "DELETE|/quota||400 Failed to parse remove quota request for path '/master/quota':"
            + " expected 3 tokens, found 2 tokens",
        "DELETE|/quota/q||400 Failed to remove quota for path '/master/quota/q': Role 'q' has no"
            + " quota set",
        "DELETE|/master/quota/a/b||400 Failed to remove quota for path '/master/quota/a/b': Role"
            + " 'a/b' has no quota set",
        "PUT|/quota|{}|405 405 Method Not Allowed.",
      })
  void badOnesChangeNothing(String method, String path, String body, String answer)
      throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      Operator operator = new Operator(cluster);
      assertThat(operator.request(method, path, body == null ? "" : body)).startsWith(answer);
      assertThat(operator.call("{\"type\":\"REMOVE_QUOTA\",\"remove_quota\":{\"role\":\"q\"}}"))
          .isEqualTo("400 Failed to remove quota: Role 'q' has no quota set");
      assertThat(operator.request("GET", "/quota", "")).isEqualTo("200 {}");
    }
  }

  @Test
  void eachCallNeedsItsLeaveForEveryRole() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Map<String, Action> leave =
          Map.of("old", Action.UPDATE_QUOTA, "new", Action.UPDATE_QUOTA_WITH_CONFIG);
      Authorizer authorizer =
          (subject, actions) ->
              (action, object) ->
                  action == leave.get(object.value().orElse(""))
                      || (action == Action.GET_QUOTA && object.value().equals(Optional.of("new")));
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      Operator operator = new Operator(cluster);
      String forced = "{\"force\":true,\"role\":\"%s\"," + CPU;
      assertThat(operator.request("POST", "/quota", forced.formatted("new")))
          .isEqualTo("403 403 Forbidden.");
      assertThat(operator.request("POST", "/quota", forced.formatted("old"))).isEqualTo("200");
      assertThat(Operator.text(operator.call(limit("old", 1)))).isEqualTo("403 403 Forbidden.");
      Call.Builder call = limit("old", 1).toBuilder();
      call.getUpdateQuotaBuilder().setForce(true);
      assertThat(Operator.text(operator.call(call.build()))).isEqualTo("403 403 Forbidden.");
      call = limit("new", 1).toBuilder();
      call.getUpdateQuotaBuilder().setForce(true);
      assertThat(Operator.text(operator.call(call.build()))).isEqualTo("200");
      assertThat(operator.request("DELETE", "/quota/new", "")).isEqualTo("403 403 Forbidden.");
      assertThat(operator.request("GET", "/quota", ""))
          .contains("\"new\"")
          .doesNotContain("\"old\"");
      assertThat(operator.request("DELETE", "/quota/old", "")).isEqualTo("200");
    }
  }

  /** An allocator is still thinking when the quota changes: what it comes up with is void. */
  @Test
  void whatWasProposedWithoutKnowingTheQuotaIsNotOffered() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "allocation_interval=1hrs");
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      Await.until(() -> cluster.allocator.started != null);
      CountDownLatch thinking = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      cluster.allocator.answer =
          proposals -> {
            if (!proposals.isEmpty()) {
              thinking.countDown();
              try {
                goOn.await(9, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            }
            return proposals;
          };
      cluster.agent(5051, "cpus:4;mem:1000");
      assertThat(thinking.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(Operator.text(new Operator(cluster).call(limit("a", 1)))).isEqualTo("200");
      goOn.countDown();
      Await.until(
          () ->
              cluster.master.metrics().snapshot().get("allocator/mezzo/proposals_dropped") == 1.0);
      assertThat(cluster.state().offers()).isEmpty();
      assertThat(scheduler.events).noneMatch(Event::hasOffers);
      Await.until(() -> cluster.allocator.held.values().stream().allMatch(Map::isEmpty));
    }
  }
}
