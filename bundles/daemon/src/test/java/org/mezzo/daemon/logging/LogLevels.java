package org.mezzo.daemon.logging;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.admin.LoggerContext;

/** A log that remembers what it was told, INFO otherwise; time passes when the test says so. */
public final class LogLevels implements LoggerContext {
  private volatile Map<String, LogLevel> now = Map.of();
  private final List<Runnable> ends = new ArrayList<>();

  /** One that changes this. */
  public Verbosity verbosity() {
    return new Verbosity(name -> this, (after, task) -> ends.add(task));
  }

  /** What it was told last. */
  public Map<String, LogLevel> now() {
    return now;
  }

  /** The time of one change is over. */
  public void end(int change) {
    ends.get(change).run();
  }

  @Override
  public String getName() {
    return null;
  }

  @Override
  public LogLevel getEffectiveLogLevel(String name) {
    return now.getOrDefault(name, LogLevel.INFO);
  }

  @Override
  public Map<String, LogLevel> getLogLevels() {
    return now;
  }

  @Override
  public void setLogLevels(Map<String, LogLevel> next) {
    now = Map.copyOf(next);
  }

  @Override
  public void clear() {
    now = Map.of();
  }

  @Override
  public boolean isEmpty() {
    return now.isEmpty();
  }
}
