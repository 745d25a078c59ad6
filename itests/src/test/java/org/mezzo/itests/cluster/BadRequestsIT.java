package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Bad requests are answered with the status and the text that clients know: a table of what a Mesos
 * answered, sent to a cluster with one subscribed framework.
 */
class BadRequestsIT {
  private static LocalCluster cluster;
  private static TestFramework framework;

  @BeforeAll
  static void start() throws Exception {
    cluster = LocalCluster.start(Distribution.built(), 1);
    framework =
        TestFramework.subscribe(
            cluster.master(),
            """
            {"user":"root","name":"golden","roles":["test"],"checkpoint":true,
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"RESERVATION_REFINEMENT"},
                             {"type":"PARTITION_AWARE"},{"type":"REGION_AWARE"}]}\
            """);
  }

  @AfterAll
  static void stop() throws Exception {
    if (framework != null) {
      framework.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @TestFactory
  Stream<DynamicTest> requests() throws Exception {
    JsonNode agent = cluster.agents().get(0);
    URI agentUri = URI.create("http://127.0.0.1:" + agent.path("port").asInt());
    try (InputStream table = BadRequestsIT.class.getResourceAsStream("/bad-requests.json")) {
      String text =
          new String(table.readAllBytes(), StandardCharsets.UTF_8)
              .replace("${framework}", framework.frameworkId())
              .replace("${stream}", framework.streamId())
              .replace("${agent}", agent.path("id").asText());
      JsonNode rows = Http.JSON.readTree(text);
      return StreamSupport.stream(rows.spliterator(), false)
          .filter(row -> !row.path("name").asText().equals("sched-call-after-teardown"))
          .map(
              row ->
                  DynamicTest.dynamicTest(
                      row.path("name").asText(),
                      () ->
                          check(
                              row,
                              row.path("daemon").asText().equals("agent")
                                  ? agentUri
                                  : cluster.master())));
    }
  }

  private static void check(JsonNode row, URI daemon) throws Exception {
    byte[] body =
        row.has("hex")
            ? HexFormat.of().parseHex(row.path("hex").asText())
            : row.path("body").asText("").getBytes(StandardCharsets.UTF_8);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(daemon.resolve(row.path("path").asText()))
            .timeout(Duration.ofSeconds(60))
            .method(row.path("method").asText(), HttpRequest.BodyPublishers.ofByteArray(body));
    row.path("headers")
        .fields()
        .forEachRemaining(header -> request.header(header.getKey(), header.getValue().asText()));
    HttpResponse<InputStream> response =
        Http.CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    String answer;
    try (InputStream in = response.body()) {
      answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(response.statusCode()).as(answer).isEqualTo(row.path("status").asInt());
    String expected = row.path("text").asText();
    if (row.path("prefix").asBoolean()) {
      assertThat(answer).startsWith(expected);
    } else {
      assertThat(answer).isEqualTo(expected);
    }
  }
}
