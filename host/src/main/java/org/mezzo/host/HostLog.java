package org.mezzo.host;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.util.FileSize;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process's log: readable lines or a JSON object a line on standard error, and in a file. It is
 * set up in code, because reading a configuration file would cost a tenth of the boot time.
 */
public final class HostLog extends ContextAwareBase implements Configurator {
  private static final String TERMINAL = "%d{HH:mm:ss.SSS} %-5level %logger{0}: %msg%n%ex";
  private static final String FILE =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level [%thread] %logger{36}: %msg%n%ex";

  private static volatile Settings settings =
      new Settings(true, false, Level.INFO, Optional.empty(), List.of());

  private record Settings(
      boolean terminal, boolean json, Level level, Optional<Path> file, List<String> libraries) {}

  /** Called by logback's service loader. */
  public HostLog() {}

  /**
   * Sets the log up; may be called again.
   *
   * @param terminal whether standard error gets the log
   * @param json one JSON object a line on the terminal instead of text
   * @param level {@code ERROR}, {@code WARN}, {@code INFO}, {@code DEBUG} or {@code TRACE}
   * @param file a file that gets the log as well, kept below 10 pieces of 50 MB
   * @param libraries loggers, by the begin of their names, of which only warnings and errors are
   *     wanted unless the level is below {@code INFO}
   */
  public static void configure(
      boolean terminal, boolean json, String level, Optional<Path> file, List<String> libraries) {
    settings =
        new Settings(
            terminal, json, Level.toLevel(level, Level.INFO), file, List.copyOf(libraries));
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      apply(context, settings);
    }
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    apply(context, settings);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  private static void apply(LoggerContext context, Settings settings) {
    context.reset();
    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    level(context, settings, Map.of());
    if (settings.terminal()) {
      ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
      console.setTarget("System.err");
      root.addAppender(
          started(
              context,
              "terminal",
              console,
              settings.json() ? json(context) : text(context, TERMINAL)));
    }
    settings
        .file()
        .ifPresent(
            file -> {
              RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
              appender.setFile(file.toString());
              FixedWindowRollingPolicy pieces = new FixedWindowRollingPolicy();
              pieces.setContext(context);
              pieces.setParent(appender);
              pieces.setFileNamePattern(file + ".%i");
              pieces.setMinIndex(1);
              pieces.setMaxIndex(9);
              SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
              size.setContext(context);
              size.setMaxFileSize(FileSize.valueOf("50MB"));
              appender.setRollingPolicy(pieces);
              appender.setTriggeringPolicy(size);
              pieces.start();
              size.start();
              root.addAppender(
                  started(
                      context,
                      "file",
                      appender,
                      settings.json() ? json(context) : text(context, FILE)));
            });
  }

  /**
   * Logs by these levels, by the begin of loggers' names, instead of those of {@link #configure};
   * without any by those.
   */
  static void override(Map<String, String> levels) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      level(context, settings, levels);
    }
  }

  private static void level(
      LoggerContext context, Settings settings, Map<String, String> overriding) {
    context.getLoggerList().stream()
        .filter(logger -> !logger.getName().equals(Logger.ROOT_LOGGER_NAME))
        .forEach(logger -> logger.setLevel(null));
    Level level = Level.toLevel(overriding.get(Logger.ROOT_LOGGER_NAME), settings.level());
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(level);
    if (level == Level.INFO) {
      settings.libraries().forEach(name -> context.getLogger(name).setLevel(Level.WARN));
    }
    overriding.forEach((name, text) -> context.getLogger(name).setLevel(Level.toLevel(text)));
  }

  private static Appender<ILoggingEvent> started(
      LoggerContext context,
      String name,
      OutputStreamAppender<ILoggingEvent> appender,
      Encoder<ILoggingEvent> encoder) {
    appender.setContext(context);
    appender.setName(name);
    appender.setEncoder(encoder);
    appender.start();
    return appender;
  }

  private static Encoder<ILoggingEvent> json(LoggerContext context) {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setContext(context);
    encoder.setWithSequenceNumber(false);
    encoder.setWithNanoseconds(false);
    encoder.setWithContext(false);
    encoder.setWithArguments(false);
    encoder.setWithMessage(false);
    encoder.setWithFormattedMessage(true);
    encoder.start();
    return encoder;
  }

  private static Encoder<ILoggingEvent> text(LoggerContext context, String pattern) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(pattern);
    encoder.start();
    return encoder;
  }
}
