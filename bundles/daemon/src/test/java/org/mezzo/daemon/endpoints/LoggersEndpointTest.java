package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.Module;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.logging.LogLevels;
import org.mezzo.daemon.logging.LoggerCommands;
import org.mezzo.daemon.logging.LoggerLevels;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.modules.local.LocalModules;
import org.osgi.service.log.LogLevel;

/** The levels of loggers, as operators see and change them. */
@Timeout(30)
class LoggersEndpointTest {
  private final LogLevels log = new LogLevels();
  private final LocalModules modules = new LocalModules();
  private final RecordedDeployments history = new RecordedDeployments();
  private final Workers workers = new Workers("test", 1);
  private final List<Question> asked = new ArrayList<>();
  private volatile boolean allow = true;
  private TestServer server;

  private TestServer serve(Verbosity verbosity) throws Exception {
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
    Authentication authentication =
        (exchange, access) ->
            CompletableFuture.completedStage(
                Authentication.Verdict.pass(Optional.of(Principal.named("Ada"))));
    LoggerLevels levels = new LoggerLevels(verbosity, modules.leases(), history);
    Router router =
        new Router("master", authentication, authorization, workers)
            .add(new LoggersEndpoint("master", levels))
            .add(new LoggerLevelEndpoint("master", levels, workers.answers()));
    return new TestServer(router);
  }

  @BeforeEach
  void open() throws Exception {
    modules.register(Module.class, "isolator", "cgroups/cpu", () -> new Module() {});
    server = serve(log.verbosity());
  }

  @AfterEach
  void close() {
    server.close();
    workers.close();
    modules.close();
  }

  private HttpResponse<String> post(String query) throws Exception {
    return server.send("POST", "/master/mezzo/loggers/level?" + query, new byte[0]);
  }

  @Test
  void aLevelHoldsUntilItIsChangedAndTheHistorySaysWhoDidIt() throws Exception {
    assertThat(server.get("/mezzo/loggers").body())
        .isEqualTo("{\"daemon\":\"master\",\"loggers\":[]}");
    var answer = post("logger=org.mezzo.link&level=debug");
    assertThat(answer.statusCode()).isEqualTo(200);
    String shown =
        "{\"daemon\":\"master\",\"loggers\":"
            + "[{\"logger\":\"org.mezzo.link\",\"level\":\"DEBUG\",\"by\":\"Ada\"}]}";
    assertThat(answer.body()).isEqualTo(shown);
    assertThat(server.get("/mezzo/loggers").body()).isEqualTo(shown);
    assertThat(log.now()).isEqualTo(Map.of("org.mezzo.link", LogLevel.DEBUG));
    assertThat(server.get("/mezzo/loggers?logger=org.other").body())
        .isEqualTo(
            "{\"daemon\":\"master\",\"loggers\":"
                + "[{\"logger\":\"org.other\",\"level\":\"INFO\",\"by\":\"\"}]}");
    assertThat(post("logger=org.mezzo.link&level=default").statusCode()).isEqualTo(200);
    assertThat(log.now()).isEmpty();
    assertThat(history.asked)
        .containsExactly(
            "level of org.mezzo.link INFO -> DEBUG by Ada: set",
            "level of org.mezzo.link DEBUG -> INFO by Ada: set back");
  }

  @Test
  void aModuleIsItsOwnLogger() throws Exception {
    var answer = post("logger=isolator/cgroups/cpu&level=TRACE&duration=10mins");
    assertThat(answer.body())
        .startsWith(
            "{\"daemon\":\"master\",\"loggers\":[{\"logger\":\"modules.isolator.cgroups.cpu\"")
        .contains("\"level\":\"TRACE\",\"until\":\"");
    assertThat(log.now()).isEqualTo(Map.of("modules.isolator.cgroups.cpu", LogLevel.TRACE));
    assertThat(history.asked)
        .containsExactly("level of isolator/cgroups/cpu INFO -> TRACE by Ada: set for 10mins");
  }

  @Test
  void afterItsTimeTheLevelIsTheOneThatLastsAndNotAnotherForAWhile() throws Exception {
    post("logger=a&level=WARN");
    post("logger=a&level=DEBUG&duration=10mins");
    post("logger=a&level=TRACE&duration=20mins");
    post("logger=b&level=DEBUG&duration=1mins");
    assertThat(log.now()).isEqualTo(Map.of("a", LogLevel.TRACE, "b", LogLevel.DEBUG));
    log.end(0);
    assertThat(log.now()).as("it was replaced").containsEntry("a", LogLevel.TRACE);
    log.end(1);
    log.end(2);
    assertThat(log.now()).isEqualTo(Map.of("a", LogLevel.WARN));
  }

  @Test
  void theVerbosityOfTheProcessLeavesThemAlone() throws Exception {
    Verbosity verbosity = log.verbosity();
    server.close();
    server = serve(verbosity);
    post("logger=org.mezzo.link&level=WARN");
    verbosity.set(1, java.time.Duration.ofMinutes(1), "Ada");
    assertThat(log.now())
        .isEqualTo(Map.of("org.mezzo", LogLevel.DEBUG, "org.mezzo.link", LogLevel.WARN));
    log.end(0);
    assertThat(log.now()).isEqualTo(Map.of("org.mezzo.link", LogLevel.WARN));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "level=DEBUG;Expecting 'logger=value' in query.",
        "logger=a;Expecting 'level=value' in query.",
        "logger=a&level=LOUD;'LOUD' is no level: write ERROR, WARN, INFO, DEBUG, TRACE or default.",
        "logger=a..b&level=INFO;'a..b' is no logger: write the begin of a class's name",
        "logger=a%0Ab&level=INFO;'a?b' is no logger",
        "logger=hook/x&level=INFO;No module is called 'hook/x'; there are isolator/cgroups/cpu.",
        "logger=a&level=INFO&duration=5;Invalid duration: '5' is no duration",
        "logger=a&level=INFO&duration=0secs;Invalid duration: '0secs' has to be more than nothing",
        "logger=a&level=INFO&duration=8days;Invalid duration: '8days' has to be more than nothing",
        "logger=a&level=default&duration=1secs;A duration goes with a level"
      })
  void saysWhatIsWrongAndChangesNothing(String query, String message) throws Exception {
    var answer = post(query);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
    assertThat(answer.body()).startsWith(message).endsWith(".\n");
    assertThat(log.now()).isEmpty();
    assertThat(history.asked).isEmpty();
  }

  @Test
  void soManyAndNoMore() throws Exception {
    for (int i = 0; i < 100; i++) {
      post("logger=a" + i + "&level=INFO");
    }
    var answer = post("logger=b&level=INFO");
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).startsWith("100 loggers have a level of their own");
    assertThat(post("logger=a7&level=WARN").statusCode()).isEqualTo(200);
    assertThat(post("logger=a7&level=default").statusCode()).isEqualTo(200);
    assertThat(post("logger=b&level=INFO").statusCode()).isEqualTo(200);
  }

  @Test
  void whoMayNotIsRefused() throws Exception {
    allow = false;
    assertThat(post("logger=a&level=INFO").statusCode()).isEqualTo(403);
    assertThat(server.get("/mezzo/loggers").statusCode()).isEqualTo(403);
    assertThat(log.now()).isEmpty();
    assertThat(asked)
        .containsExactly(
            Question.anything(Action.SET_LOG_LEVEL),
            Question.about(Action.GET_ENDPOINT_WITH_PATH, "/mezzo/loggers"));
  }

  @Test
  void aProcessWhoseLogCannotBeChangedSaysSo() throws Exception {
    server.close();
    server = serve(Verbosity.unchangeable());
    assertThat(server.get("/mezzo/loggers").statusCode()).isEqualTo(200);
    assertThat(server.get("/mezzo/loggers?logger=a").statusCode()).isEqualTo(501);
    assertThat(post("logger=a&level=INFO").statusCode()).isEqualTo(501);
    assertThat(history.asked).isEmpty();
  }

  @Test
  void theShellHasThemToo() {
    LoggerCommands commands = new LoggerCommands(log.verbosity(), modules.leases(), history);
    assertThat(commands.loglevel()).isEqualTo("Nobody has set the level of a logger.");
    assertThat(commands.loglevel("root")).isEqualTo("ROOT INFO");
    assertThat(commands.loglevel("a", "WARNING")).isEqualTo("a WARN, set by shell");
    assertThat(commands.loglevel("b", "debug", "1mins"))
        .startsWith("b DEBUG, set by shell, until ");
    assertThat(commands.loglevel()).startsWith("a WARN, set by shell\nb DEBUG");
    assertThatThrownBy(() -> commands.loglevel("a", "b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is no level");
    assertThat(history.asked).hasSize(2);
  }
}
