package org.mezzo.logger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.api.logger.LogPlan.Rotation;
import org.mezzo.testing.FakeDaemonContext;

class RotatingLoggerTest {
  private static final Container CONTAINER = Container.builder("c", Path.of("/sandbox")).build();

  private static LogPlan plan(Map<String, String> parameters, Map<String, String> environment)
      throws Exception {
    RotatingLogger logger = new RotatingLogger();
    logger.open(FakeDaemonContext.agent().withParameters(parameters));
    return logger.prepare(CONTAINER, environment);
  }

  @Test
  void filesAreSmallUnlessSomebodySaysHowSmall() throws Exception {
    LogPlan plan = plan(Map.of(), Map.of());
    assertThat(plan.output()).isEqualTo(Optional.of(new Rotation(10 << 20, 4)));
    assertThat(plan.errors()).isEqualTo(plan.output());
    plan =
        plan(
            Map.of("max_stdout_size", "1GB", "max_stderr_files", "0"),
            Map.of(
                "CONTAINER_LOGGER_MAX_STDERR_SIZE",
                "4096B",
                "CONTAINER_LOGGER_MAX_STDOUT_FILES",
                "9"));
    assertThat(plan.output()).isEqualTo(Optional.of(new Rotation(1L << 30, 9)));
    assertThat(plan.errors()).isEqualTo(Optional.of(new Rotation(4096, 0)));
    plan =
        plan(Map.of("environment_variable_prefix", "LOG_"), Map.of("LOG_MAX_STDOUT_SIZE", "5KB"));
    assertThat(plan.output()).isEqualTo(Optional.of(new Rotation(5 << 10, 4)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "max_stdout_size | 10 | the parameter max_stdout_size is '10'; give a whole number with B",
        "max_stdout_size | 4095B | at least 4096B are needed",
        "max_stderr_size | 999999999TB | no disk has so many bytes",
        "max_stderr_files | -1 | give the number of older files",
        "max_stderr_files | 1001 | at most 1000 older files can be kept"
      })
  void whatIsWrongIsSaidWithItsName(String name, String value, String message) {
    assertThatThrownBy(() -> plan(Map.of(name, value), Map.of())).hasMessageContaining(message);
  }

  @Test
  void aContainersOwnWishIsNamedToo() {
    assertThatThrownBy(() -> plan(Map.of(), Map.of("CONTAINER_LOGGER_MAX_STDOUT_SIZE", "plenty")))
        .hasMessageContaining("the variable CONTAINER_LOGGER_MAX_STDOUT_SIZE is 'plenty'");
  }

  @Test
  void otherSizesHoldFromNowOnAndWrongOnesChangeNothing() throws Exception {
    RotatingLogger logger = new RotatingLogger();
    logger.open(FakeDaemonContext.agent().withParameters(Map.of("max_stdout_size", "1MB")));
    assertThat(logger.reconfigured(Map.of("max_stdout_size", "8KB", "max_stdout_files", "2")))
        .isTrue();
    assertThat(logger.prepare(CONTAINER, Map.of()).output()).contains(new Rotation(8 << 10, 2));
    assertThatThrownBy(() -> logger.reconfigured(Map.of("max_stdout_size", "8")))
        .hasMessageContaining("the parameter max_stdout_size is '8'");
    assertThat(logger.prepare(CONTAINER, Map.of()).output()).contains(new Rotation(8 << 10, 2));
    assertThat(logger.reconfigured(Map.of())).isTrue();
    assertThat(logger.prepare(CONTAINER, Map.of()).output()).contains(new Rotation(10 << 20, 4));
  }
}
