package org.mezzo.master.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.scheduler.Call;

/** Every bad request gets the status and the text a real master was seen to give. */
class BadRequestsTest {
  @TempDir static Path workDir;
  private static TestCluster cluster;
  private static TestScheduler scheduler;
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @BeforeAll
  static void start() throws Exception {
    cluster = new TestCluster(workDir);
    scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build());
  }

  @AfterAll
  static void stop() throws Exception {
    scheduler.close();
    cluster.close();
  }

  /** One row of the table. */
  record Row(
      String name,
      String method,
      String contentType,
      boolean withStream,
      String body,
      int status,
      String answer) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Row> rows() throws Exception {
    try (InputStream in =
        BadRequestsTest.class.getResourceAsStream("/scheduler-bad-requests.tsv")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.startsWith("#"))
              .map(line -> line.split("\t", -1))
              .map(
                  cells ->
                      new Row(
                          cells[0],
                          cells[1],
                          cells[2],
                          cells[3].equals("yes"),
                          cells[4],
                          Integer.parseInt(cells[5]),
                          cells[6]))
              .toList()
              .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void answersAsTheRealOne(Row row) throws Exception {
    String body = row.body.replace("{framework}", scheduler.id).replace("{agent}", "some-S0");
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/api/v1/scheduler"))
            .timeout(Duration.ofSeconds(60))
            .header("Accept", "application/json")
            .method(
                row.method,
                body.isEmpty()
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (!row.contentType.equals("-")) {
      request.header("Content-Type", row.contentType);
    }
    if (row.withStream) {
      request.header("Mesos-Stream-Id", scheduler.streamId);
    }
    HttpResponse<InputStream> response =
        CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(row.status);
    try (InputStream in = response.body()) {
      if (row.answer.equals("{subscribed}")) {
        String begin = new String(in.readNBytes(40), StandardCharsets.UTF_8);
        assertThat(begin).contains("{\"type\":\"SUBSCRIBED\"");
      } else {
        String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        String record = row.status == 200 ? text.substring(text.indexOf('\n') + 1) : text;
        if (row.answer.endsWith("...")) {
          assertThat(record)
              .startsWith(row.answer.substring(0, row.answer.length() - "...".length()));
        } else {
          assertThat(record).isEqualTo(row.answer);
        }
      }
    }
  }

  @Test
  void noCallIsMissing() throws Exception {
    String bodies = rows().map(Row::body).collect(Collectors.joining());
    for (Call.Type type : Call.Type.values()) {
      assertThat(bodies).containsPattern("\"type\": ?\"" + type + "\"");
    }
  }
}
