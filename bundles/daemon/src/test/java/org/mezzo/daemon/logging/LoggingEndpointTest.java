package org.mezzo.daemon.logging;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.Workers;
import org.osgi.service.log.LogLevel;

@Timeout(20)
class LoggingEndpointTest {
  private final Workers workers = new Workers("test", 1);
  private final LogLevels levels = new LogLevels();
  private final List<Duration> waits = new ArrayList<>();
  private final List<Runnable> ends = new ArrayList<>();
  private final List<Question> asked = new ArrayList<>();
  private volatile boolean allow = true;
  private final Verbosity verbosity =
      new Verbosity(
          name -> levels,
          (after, task) -> {
            waits.add(after);
            ends.add(task);
          });
  private TestServer server;

  private void serve(Verbosity served) throws Exception {
    Authorization authorization =
        Authorization.by(
            (subject, actions) ->
                CompletableFuture.completedFuture(
                    ObjectApprovers.of(
                        actions,
                        (action, object) -> {
                          asked.add(new Question(action, object));
                          return allow;
                        })));
    Router router = new Router("master", Authentication.NONE, authorization, workers);
    router.add(new LoggingEndpoint(served));
    server = new TestServer(router);
  }

  @BeforeEach
  void open() throws Exception {
    serve(verbosity);
  }

  @AfterEach
  void close() {
    server.close();
    workers.close();
  }

  @Test
  void aLevelHoldsForItsDuration() throws Exception {
    assertThat(server.get("/logging/toggle").body()).isEqualTo("0\n");
    var answer = server.get("/master/logging/toggle?level=1&duration=10secs");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    assertThat(levels.now()).isEqualTo(Map.of("org.mezzo", LogLevel.DEBUG));
    var present = server.get("/logging/toggle");
    assertThat(present.body()).isEqualTo("1\n");
    assertThat(present.headers().firstValue("Content-Type")).contains("text/plain; charset=utf-8");
    assertThat(waits).containsExactly(Duration.ofSeconds(10));
    ends.get(0).run();
    assertThat(levels.now()).isEmpty();
    assertThat(server.get("/logging/toggle").body()).isEqualTo("0\n");
  }

  @Test
  void theEndOfALevelThatWasReplacedDoesNothing() throws Exception {
    server.get("/logging/toggle?level=1&duration=10secs");
    server.get("/logging/toggle?level=3&duration=1hrs");
    ends.get(0).run();
    assertThat(server.get("/logging/toggle").body()).isEqualTo("3\n");
    assertThat(levels.now()).isEqualTo(Map.of("ROOT", LogLevel.TRACE));
    server.get("/logging/toggle?level=0&duration=1secs");
    assertThat(levels.now()).isEmpty();
    server.get("/logging/toggle?level=2&duration=1secs");
    ends.get(1).run();
    assertThat(levels.now()).isEqualTo(Map.of("ROOT", LogLevel.DEBUG));
  }

  @Test
  void nobodyIsLeftToSetItBackOnceTheBundleStops() throws Exception {
    server.get("/logging/toggle?level=2&duration=1hrs");
    verbosity.close();
    assertThat(levels.now()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "level=1;Expecting 'duration=value' in query.",
        "duration=1secs;Expecting 'level=value' in query.",
        "level=4&duration=1secs;Invalid level '4'",
        "level=-1&duration=1secs;Invalid level '-1'",
        "level=DEBUG&duration=1secs;Invalid level 'DEBUG'",
        "level=1&duration=5;Invalid duration: '5' is no duration",
        "level=1&duration=-5secs;Invalid duration"
      })
  void saysWhatIsWrong(String query, String message) throws Exception {
    var answer = server.get("/logging/toggle?" + query);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).startsWith(message).endsWith(".\n");
    assertThat(levels.now()).isEmpty();
    assertThat(verbosity.level()).isZero();
  }

  @Test
  void whoMayNotIsRefused() throws Exception {
    allow = false;
    var answer = server.get("/logging/toggle?level=1&duration=10secs");
    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(levels.now()).isEmpty();
    assertThat(asked)
        .containsExactly(Question.about(Action.GET_ENDPOINT_WITH_PATH, "/logging/toggle"));
  }

  @Test
  void aProcessWhoseLogCannotBeChangedSaysSo() throws Exception {
    server.close();
    serve(Verbosity.unchangeable());
    assertThat(server.get("/logging/toggle").body()).isEqualTo("0\n");
    assertThat(server.get("/logging/toggle?level=1&duration=1secs").statusCode()).isEqualTo(501);
  }
}
