package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

@Timeout(60)
class LoggingCallsTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir Path workDir;
  private final Set<Question> asked = ConcurrentHashMap.newKeySet();
  private volatile boolean allow = true;
  private TestCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(workDir, "acls={}");
    Authorizer authorizer =
        (subject, actions) ->
            (action, object) -> {
              asked.add(new Question(action, object));
              return allow;
            };
    cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
    cluster.modules.awaitHolders();
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private HttpRequest.Builder request(String contentType) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/api/v1"))
        .header("Content-Type", contentType)
        .header("Accept", contentType);
  }

  private HttpResponse<String> json(String call) throws Exception {
    return CLIENT.send(
        request("application/json").POST(HttpRequest.BodyPublishers.ofString(call)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<byte[]> protobuf(Call call) throws Exception {
    return CLIENT.send(
        request("application/x-protobuf")
            .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray()))
            .build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  @Test
  void theLevelIsSetAndTold() throws Exception {
    assertThat(json("{\"type\":\"GET_LOGGING_LEVEL\"}").body())
        .isEqualTo("{\"type\":\"GET_LOGGING_LEVEL\",\"get_logging_level\":{\"level\":0}}");
    HttpResponse<String> set =
        json(
            "{\"type\":\"SET_LOGGING_LEVEL\",\"set_logging_level\":"
                + "{\"level\":1,\"duration\":{\"nanoseconds\":3600000000000}}}");
    assertThat(set.statusCode()).isEqualTo(200);
    assertThat(set.body()).isEmpty();
    assertThat(cluster.verbosity.level()).isEqualTo(1);
    assertThat(asked).containsExactly(Question.anything(Action.SET_LOG_LEVEL));
    Call.Builder more = Call.newBuilder().setType(Call.Type.SET_LOGGING_LEVEL);
    more.getSetLoggingLevelBuilder()
        .setLevel(3)
        .setDuration(DurationInfo.newBuilder().setNanoseconds(Long.MAX_VALUE));
    assertThat(protobuf(more.build()).statusCode()).isEqualTo(200);
    byte[] answer = protobuf(Call.newBuilder().setType(Call.Type.GET_LOGGING_LEVEL).build()).body();
    assertThat(Response.parseFrom(answer).getGetLoggingLevel().getLevel()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{};Failed to convert JSON into Call protobuf: Missing required fields:"
            + " set_logging_level.level, set_logging_level.duration",
        "{\"level\":4,\"duration\":{\"nanoseconds\":1}};Failed to validate master::Call: Invalid"
            + " level '4': write a number from 0 to 3",
        "{\"level\":4294967295,\"duration\":{\"nanoseconds\":1}};Failed to validate master::Call:"
            + " Invalid level '4294967295': write a number from 0 to 3",
        "{\"level\":-1,\"duration\":{\"nanoseconds\":1}};Failed to convert JSON into Call protobuf",
        "{\"level\":1,\"duration\":{\"nanoseconds\":-1}};Failed to validate master::Call: Invalid"
            + " duration: it is negative"
      })
  void saysWhatIsWrong(String change, String message) throws Exception {
    HttpResponse<String> answer =
        json("{\"type\":\"SET_LOGGING_LEVEL\",\"set_logging_level\":" + change + "}");
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).startsWith(message);
    assertThat(cluster.verbosity.level()).isZero();
  }

  @Test
  void whoMayNotIsRefused() throws Exception {
    allow = false;
    HttpResponse<String> set =
        json(
            "{\"type\":\"SET_LOGGING_LEVEL\",\"set_logging_level\":"
                + "{\"level\":1,\"duration\":{\"nanoseconds\":1000}}}");
    assertThat(set.statusCode()).isEqualTo(403);
    assertThat(cluster.verbosity.level()).isZero();
  }
}
