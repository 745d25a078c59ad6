package org.mezzo.daemon.logging;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.mezzo.deployment.Deployments;
import org.mezzo.flags.FlagValues;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.Logger;

/**
 * How operators see and change the levels of loggers, whatever way they come: by the name of a
 * logger, or as {@code KIND/NAME} for those of a module. What they change holds for the whole
 * process and until it ends, and stands in the history of deployment. Safe for any thread.
 */
public final class LoggerLevels {
  /** What takes a level back. */
  public static final String DEFAULT = "default";

  /** The longest time after which a level goes back by itself. */
  static final Duration LONGEST = Duration.ofDays(7);

  private static final int LONGEST_NAME = 200;
  private static final Pattern NAME = Pattern.compile("[\\w$-]+(\\.[\\w$-]+)*");

  /** Of audits every level logs all. */
  private static final List<LogLevel> LEVELS =
      Arrays.stream(LogLevel.values()).filter(level -> level != LogLevel.AUDIT).toList();

  private final Verbosity log;
  private final ModuleLeases modules;
  private final Deployments history;

  /**
   * Those of a process.
   *
   * @param modules of which the loggers are known
   * @param history where changes are written down
   */
  public LoggerLevels(Verbosity log, ModuleLeases modules, Deployments history) {
    this.log = log;
    this.modules = modules;
    this.history = history;
  }

  /** Those that somebody has set, by name; a snapshot. */
  public List<LoggerLevel> list() {
    return log.loggers();
  }

  /**
   * Which levels hold.
   *
   * @param target a logger, or {@code KIND/NAME} of a module
   * @throws IllegalArgumentException with a message for people when it is neither
   */
  public List<LoggerLevel> of(String target) {
    return loggers(target).stream().map(log::logger).toList();
  }

  /**
   * Changes a level; writes to the disk.
   *
   * @param target a logger, or {@code KIND/NAME} of a module
   * @param level its name, or {@value #DEFAULT} for what held before anybody set one
   * @param duration as flags have it, after which the level is the former one; empty when it holds
   *     until it is changed
   * @param principal who asks
   * @return which levels hold now
   * @throws IllegalArgumentException with a message for people; nothing has changed
   * @throws UnsupportedOperationException where nobody offers to change the log's levels
   */
  public List<LoggerLevel> change(
      String target, String level, Optional<String> duration, String principal) {
    List<String> loggers = loggers(target);
    Optional<LogLevel> wanted = level(level);
    Optional<Duration> holds = duration.map(LoggerLevels::duration);
    if (wanted.isEmpty() && holds.isPresent()) {
      throw new IllegalArgumentException(
          "A duration goes with a level; what is set to " + DEFAULT + " does not come back");
    }
    LogLevel before = log.logger(loggers.get(0)).level();
    log.set(loggers, wanted, holds, principal);
    history.noteLogLevel(
        target,
        before.name(),
        log.logger(loggers.get(0)).level().name(),
        principal,
        wanted.isEmpty()
            ? "set back"
            : holds.map(it -> "set for " + duration.orElseThrow().strip()).orElse("set"));
    return of(target);
  }

  private List<String> loggers(String target) {
    if (target.indexOf('/') >= 0) {
      return ofModule(target);
    }
    if (target.equalsIgnoreCase(Logger.ROOT_LOGGER_NAME)) {
      return List.of(Logger.ROOT_LOGGER_NAME);
    }
    if (target.length() > LONGEST_NAME || !NAME.matcher(target).matches()) {
      throw new IllegalArgumentException(
          "'"
              + shown(target)
              + "' is no logger: write the begin of a class's name such as org.mezzo.master, ROOT,"
              + " or KIND/NAME of a module such as hook/audit");
    }
    return List.of(target);
  }

  private List<String> ofModule(String target) {
    List<ModuleDescription> known = modules.modules();
    List<String> loggers =
        known.stream()
            .filter(module -> title(module).equals(target))
            .flatMap(module -> module.loggers().stream())
            .distinct()
            .toList();
    if (loggers.isEmpty()) {
      throw new IllegalArgumentException(
          "No module is called '"
              + shown(target)
              + "'; there are "
              + known.stream()
                  .map(LoggerLevels::title)
                  .distinct()
                  .sorted()
                  .collect(Collectors.joining(", ")));
    }
    return loggers;
  }

  private static String shown(String target) {
    String text = target.length() > LONGEST_NAME ? target.substring(0, LONGEST_NAME) : target;
    return text.replaceAll("\\p{Cntrl}", "?");
  }

  private static String title(ModuleDescription module) {
    return module.kind() + "/" + module.name();
  }

  private static Optional<LogLevel> level(String text) {
    if (text.equalsIgnoreCase(DEFAULT)) {
      return Optional.empty();
    }
    String name = text.toUpperCase(Locale.ROOT);
    // The flag --logging_level calls it so.
    String known = name.equals("WARNING") ? LogLevel.WARN.name() : name;
    return Optional.of(
        LEVELS.stream()
            .filter(level -> level.name().equals(known))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "'"
                            + shown(text)
                            + "' is no level: write "
                            + LEVELS.stream().map(LogLevel::name).collect(Collectors.joining(", "))
                            + " or "
                            + DEFAULT)));
  }

  private static Duration duration(String text) {
    Duration duration;
    try {
      duration = FlagValues.duration(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("Invalid duration: " + e.getMessage(), e);
    }
    if (duration.isNegative() || duration.isZero() || duration.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "Invalid duration: '"
              + shown(text)
              + "' has to be more than nothing and at most "
              + LONGEST.toDays()
              + "days; without one the level holds until it is changed");
    }
    return duration;
  }
}
