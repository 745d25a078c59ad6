package org.mezzo.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.Logger;
import org.osgi.service.log.admin.LoggerContext;
import org.slf4j.LoggerFactory;

class LogLevelsTest {
  private final LoggerContext levels = new LogLevels().getLoggerContext(null);
  private final org.slf4j.Logger own = LoggerFactory.getLogger("org.mezzo.some.Thing");
  private final org.slf4j.Logger library = LoggerFactory.getLogger("com.library.Thing");

  @BeforeEach
  void configure() {
    HostLog.configure(false, false, "INFO", Optional.empty(), List.of("com.library"));
  }

  @AfterEach
  void restore() {
    HostLog.configure(true, false, "INFO", Optional.empty(), List.of());
  }

  @Test
  void levelsByNameCountUntilTheyAreCleared() {
    levels.setLogLevels(Map.of("org.mezzo", LogLevel.DEBUG));
    assertThat(own.isDebugEnabled()).isTrue();
    assertThat(own.isTraceEnabled()).isFalse();
    assertThat(library.isInfoEnabled()).isFalse();
    assertThat(levels.getEffectiveLogLevel(own.getName())).isEqualTo(LogLevel.DEBUG);
    assertThat(levels.getEffectiveLogLevel(library.getName())).isEqualTo(LogLevel.WARN);

    levels.clear();
    assertThat(levels.isEmpty()).isTrue();
    assertThat(own.isDebugEnabled()).isFalse();
    assertThat(own.isInfoEnabled()).isTrue();
  }

  @Test
  void thatOfTheRootIsForLibrariesToo() {
    levels.setLogLevels(Map.of(Logger.ROOT_LOGGER_NAME, LogLevel.TRACE));
    assertThat(own.isTraceEnabled()).isTrue();
    assertThat(library.isTraceEnabled()).isTrue();

    levels.setLogLevels(Map.of("org.mezzo", LogLevel.DEBUG));
    assertThat(own.isTraceEnabled()).as("what was set before is over").isFalse();
    assertThat(library.isInfoEnabled()).isFalse();
    assertThat(library.isWarnEnabled()).isTrue();
  }
}
