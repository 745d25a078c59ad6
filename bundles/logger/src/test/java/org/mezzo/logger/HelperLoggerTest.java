package org.mezzo.logger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.testing.FakeDaemonContext;

class HelperLoggerTest {
  private static final Container CONTAINER =
      Container.builder("c", Path.of("/sandbox")).user("somebody").build();

  private static LogPlan plan(Map<String, String> parameters, Map<String, String> environment)
      throws Exception {
    HelperLogger logger = new HelperLogger();
    logger.open(FakeDaemonContext.agent().withParameters(parameters));
    return logger.prepare(CONTAINER, environment);
  }

  @Test
  void bothStreamsHaveAProgramThatIsToldWhatItReads() throws Exception {
    LogPlan plan =
        plan(
            Map.of(
                "program",
                "/usr/bin/logger",
                "argument.2",
                "mezzo",
                "argument.1",
                "-t",
                "variable.HOST",
                "north"),
            Map.of(
                "MESOS_TASK_ID",
                "t1",
                "MESOS_EXECUTOR_AUTHENTICATION_TOKEN",
                "secret",
                "MEZZO_LOG_USER",
                "root",
                "CONTAINER_LOGGER_MAX_STDOUT_SIZE",
                "4KB"));
    LogPlan.Helper helper = plan.outputHelper().orElseThrow();
    assertThat(helper.program()).isEqualTo(Path.of("/usr/bin/logger"));
    assertThat(helper.arguments()).containsExactly("-t", "mezzo");
    assertThat(helper.environment())
        .containsOnlyKeys(
            "HOST",
            "MESOS_TASK_ID",
            "MEZZO_LOG_CONTAINER",
            "MEZZO_LOG_SANDBOX",
            "MEZZO_LOG_STREAM",
            "MEZZO_LOG_USER",
            "PATH")
        .containsEntry("MEZZO_LOG_STREAM", "stdout")
        .containsEntry("MEZZO_LOG_CONTAINER", "c")
        .containsEntry("MEZZO_LOG_USER", "somebody");
    assertThat(plan.errorsHelper().orElseThrow().environment())
        .containsEntry("MEZZO_LOG_STREAM", "stderr");
    assertThat(plan.output().orElseThrow().bytes()).isEqualTo(4096);
  }

  @Test
  void oneStreamMayBeEnough() throws Exception {
    LogPlan plan = plan(Map.of("program", "/bin/cat", "streams", "stderr"), Map.of());
    assertThat(plan.outputHelper()).isEmpty();
    assertThat(plan.errorsHelper()).isPresent();
    assertThat(plan.helps()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "program | logger | the parameter program is 'logger'; give the absolute path",
        "streams | stdin | the parameter streams is 'stdin'; give stdout, stderr or",
        "streams | stdout, | give stdout, stderr or",
        "argument.2 | x | the parameter argument.2 comes behind none",
        "argument.x | x | the parameter argument.x comes behind none",
        "variable.A=B | x | 'A=B' cannot name a variable of a helper",
        "max_stdout_size | 10 | the parameter max_stdout_size is '10'"
      })
  void whatIsWrongIsSaidWithItsName(String name, String value, String message) {
    Map<String, String> parameters = new HashMap<>(Map.of("program", "/bin/cat"));
    parameters.put(name, value);
    assertThatThrownBy(() -> plan(parameters, Map.of())).hasMessageContaining(message);
  }

  @Test
  void withoutAProgramItDoesNotOpen() {
    assertThatThrownBy(() -> plan(Map.of(), Map.of()))
        .hasMessageContaining("the parameter program is missing");
  }
}
