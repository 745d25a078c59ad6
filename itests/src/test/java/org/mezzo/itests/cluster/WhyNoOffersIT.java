package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** "Why do I get no offers" has an answer, by HTTP and on the command line. */
class WhyNoOffersIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private LocalCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster =
        LocalCluster.start(
            Distribution.built(), 1, "--resources=cpus:4;mem:1024", "--allocation_interval=200ms");
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private TestFramework subscribe(String role) throws Exception {
    return TestFramework.subscribe(
        cluster.master(),
        """
        {"user":"%s","name":"%s","roles":["%s"],"capabilities":[{"type":"MULTI_ROLE"}]}\
        """
            .formatted(System.getProperty("user.name"), role, role));
  }

  private JsonNode explain(TestFramework framework) throws Exception {
    Http.Answer answer =
        Http.get(
            cluster
                .master()
                .resolve("/mezzo/offers/explain?framework_id=" + framework.frameworkId()));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return answer.json();
  }

  /** What stands in the way on the only agent, when it is that. */
  private JsonNode awaitOnAgent(TestFramework framework, String reason) {
    Await.until(
        reason,
        LIMIT,
        () -> explain(framework).at("/agents/0/hindrances/0/reason").asText().equals(reason));
    try {
      return explain(framework).at("/agents/0/hindrances/0");
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  private static void decline(TestFramework framework, JsonNode offer, double seconds)
      throws Exception {
    ObjectNode call = framework.call("DECLINE");
    ObjectNode decline = call.putObject("decline");
    decline.putArray("offer_ids").add(offer.path("id"));
    decline.putObject("filters").put("refuse_seconds", seconds);
    framework.send(call);
  }

  @Test
  void whoDeclinedOrSuppressedOrIsOverItsQuotaIsTold() throws Exception {
    try (TestFramework declining = subscribe("declining")) {
      JsonNode offered = offer(declining);
      assertThat(explain(declining).path("offers_not_answered").asInt()).isEqualTo(1);
      Instant before = Instant.now();
      decline(declining, offered, 3600);
      JsonNode filtered = awaitOnAgent(declining, "FILTERED");
      assertThat(Instant.parse(filtered.path("until").asText()))
          .isBetween(before.plusSeconds(3590), Instant.now().plusSeconds(3610));
      assertThat(filtered.path("text").asText()).contains("cpus");

      try (TestFramework suppressed = subscribe("quiet")) {
        decline(suppressed, offer(suppressed), 0);
        suppressed.send(suppressed.call("SUPPRESS"));
        Await.until(
            "it is suppressed",
            LIMIT,
            () -> explain(suppressed).at("/everywhere/0/reason").asText().equals("SUPPRESSED"));
      }

      Http.Answer set =
          Http.postJson(
              cluster.master().resolve("/api/v1"),
              "{\"type\":\"UPDATE_QUOTA\",\"update_quota\":{\"quota_configs\":[{\"role\":\"small\","
                  + "\"limits\":{\"cpus\":{\"value\":1},\"mem\":{\"value\":128}}}]}}");
      assertThat(set.status()).as(set.text()).isEqualTo(200);
      try (TestFramework limited = subscribe("small")) {
        offer(limited);
        JsonNode limit = awaitOnAgent(limited, "QUOTA_LIMIT");
        assertThat(limit.path("text").asText())
            .startsWith("role small has cpus:1;")
            .endsWith("of its quota's limit of cpus:1; mem:128");
        assertOnCommandLine(limited);
      }
    }
  }

  private void assertOnCommandLine(TestFramework limited) throws Exception {
    String text;
    try (MezzoProcess process =
        MezzoProcess.start(
            Distribution.built(),
            cluster.folder().resolve("cli"),
            "offer",
            "explain",
            limited.frameworkId(),
            "--master=127.0.0.1:" + cluster.master().getPort())) {
      assertThat(process.await(LIMIT)).as(process.stderr()).isZero();
      text = process.stdout();
    }
    List<String> lines = text.lines().toList();
    assertThat(lines.get(0))
        .isEqualTo("0 of 1 agents can be offered under role small; 1 offers are not answered");
    assertThat(text).contains("QUOTA_LIMIT", "quota's limit of cpus:1; mem:128");
  }
}
