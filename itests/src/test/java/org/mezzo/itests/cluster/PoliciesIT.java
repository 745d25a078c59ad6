package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Weights and quotas that operators set: allocation keeps to them, also after a kill. */
class PoliciesIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private static final String WEIGHTS = "[{\"role\":\"eng\",\"weight\":2.0}]";

  private static final String INFO =
      """
      {"user":"%s","name":"policies","roles":["eng"],"failover_timeout":600.0,
       "checkpoint":true,"capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
      """
          .formatted(System.getProperty("user.name"));

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private URI master;

  @BeforeEach
  void prepare() throws Exception {
    cluster = new MasterAndAgent(folder);
    master = cluster.master();
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private MezzoProcess startMaster() throws Exception {
    return cluster.startMaster("--weights=flag=9");
  }

  private void startAgent() throws Exception {
    cluster.startAgent("--resources=cpus:4;mem:1024;disk:1024");
  }

  private void awaitAgent() {
    Await.until(
        "the agent is registered",
        LIMIT,
        () -> Http.get(master.resolve("/state")).json().path("activated_slaves").asInt() == 1);
  }

  private void limit(double cpus) throws Exception {
    Http.Answer answer =
        Http.postJson(
            master.resolve("/api/v1"),
            "{\"type\":\"UPDATE_QUOTA\",\"update_quota\":{\"quota_configs\":[{\"role\":\"eng\","
                + "\"limits\":{\"cpus\":{\"value\":"
                + cpus
                + "}}}]}}");
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
  }

  private static double cpus(JsonNode offer) {
    double sum = 0;
    for (JsonNode resource : offer.path("resources")) {
      if (resource.path("name").asText().equals("cpus")) {
        sum += resource.at("/scalar/value").asDouble();
      }
    }
    return sum;
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  @Test
  void aLimitHoldsAndOutlivesTheMaster() throws Exception {
    MezzoProcess first = startMaster();
    startAgent();
    awaitAgent();
    HttpResponse<String> put =
        Http.CLIENT.send(
            HttpRequest.newBuilder(master.resolve("/weights"))
                .PUT(HttpRequest.BodyPublishers.ofString(WEIGHTS))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(put.statusCode()).as(put.body()).isEqualTo(200);
    limit(2);

    TestFramework framework = TestFramework.subscribe(master, INFO);
    cluster.own(framework);
    JsonNode wide = offer(framework);
    assertThat(cpus(wide)).isEqualTo(2);

    limit(1);
    JsonNode rescinded = framework.await("RESCIND", event -> true);
    assertThat(rescinded.at("/rescind/offer_id")).isEqualTo(wide.path("id"));
    JsonNode narrow = offer(framework);
    assertThat(cpus(narrow)).isEqualTo(1);
    framework.launch(narrow, "task", "sleep 1000");
    framework.awaitState("task", "TASK_RUNNING");
    String id = framework.frameworkId();

    first.kill();
    startMaster();
    awaitAgent();
    assertThat(Http.get(master.resolve("/weights")).text())
        .isEqualTo("[{\"role\":\"eng\",\"weight\":2.0},{\"role\":\"flag\",\"weight\":9.0}]");
    assertThat(Http.get(master.resolve("/quota")).text())
        .isEqualTo(
            "{\"infos\":[{\"role\":\"eng\"}],\"configs\":[{\"role\":\"eng\",\"limits\":{\"cpus\":"
                + "{\"value\":1.0}}}]}");

    ObjectNode info = (ObjectNode) Http.JSON.readTree(INFO);
    info.putObject("id").put("value", id);
    TestFramework again = TestFramework.subscribe(master, info.toString());
    cluster.own(again);
    JsonNode left = offer(again);
    JsonNode consumed =
        Http.get(master.resolve("/roles")).json().at("/roles/0/quota/consumed/cpus");
    assertThat(consumed.asDouble()).isPositive();
    assertThat(consumed.asDouble() + cpus(left)).isEqualTo(1);
    again.teardown();
  }
}
