package org.mezzo.host;

import java.util.HashMap;
import java.util.Map;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.Logger;
import org.osgi.service.log.admin.LoggerAdmin;
import org.osgi.service.log.admin.LoggerContext;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The levels of the host's log for bundles that want to change them: those set here, by the begin
 * of loggers' names, count instead of those it was set up with. There is one context for all
 * bundles, whatever name it is asked for by. Safe for any thread.
 */
final class LogLevels implements LoggerAdmin, LoggerContext {
  private Map<String, LogLevel> levels = Map.of();

  @Override
  public LoggerContext getLoggerContext(String name) {
    return this;
  }

  @Override
  public String getName() {
    return null;
  }

  @Override
  public LogLevel getEffectiveLogLevel(String name) {
    org.slf4j.Logger logger = LoggerFactory.getLogger(name);
    for (LogLevel level : new LogLevel[] {LogLevel.TRACE, LogLevel.DEBUG, LogLevel.INFO}) {
      if (logger.isEnabledForLevel(Level.valueOf(level.name()))) {
        return level;
      }
    }
    return logger.isWarnEnabled() ? LogLevel.WARN : LogLevel.ERROR;
  }

  @Override
  public synchronized Map<String, LogLevel> getLogLevels() {
    return new HashMap<>(levels);
  }

  @Override
  public synchronized void setLogLevels(Map<String, LogLevel> next) {
    levels = Map.copyOf(next);
    Map<String, String> names = new HashMap<>();
    levels.forEach(
        (name, level) ->
            names.put(
                name.equals(Logger.ROOT_LOGGER_NAME) ? org.slf4j.Logger.ROOT_LOGGER_NAME : name,
                level == LogLevel.AUDIT ? LogLevel.INFO.name() : level.name()));
    HostLog.override(names);
  }

  @Override
  public void clear() {
    setLogLevels(Map.of());
  }

  @Override
  public synchronized boolean isEmpty() {
    return levels.isEmpty();
  }
}
