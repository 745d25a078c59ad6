package org.mezzo.daemon.logging;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.Logger;
import org.osgi.service.log.admin.LoggerAdmin;
import org.osgi.service.log.admin.LoggerContext;
import org.slf4j.LoggerFactory;

/**
 * How much the process tells in its log beyond {@code --logging_level}: a level above 0 holds for a
 * while, then it is 0 again (rule 352). What is set for a logger by its name counts before that, as
 * the longer name does everywhere. One for all daemons of the process, as the log is. Safe for any
 * thread.
 */
@Component(service = Verbosity.class)
public final class Verbosity {
  private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(Verbosity.class);

  /** What each level logs besides, by the begin of loggers' names. */
  private static final List<Map<String, LogLevel>> LEVELS =
      List.of(
          Map.of(),
          Map.of("org.mezzo", LogLevel.DEBUG),
          Map.of(Logger.ROOT_LOGGER_NAME, LogLevel.DEBUG),
          Map.of(Logger.ROOT_LOGGER_NAME, LogLevel.TRACE));

  /** The highest level. */
  public static final int MOST = LEVELS.size() - 1;

  /** So many loggers can have a level of their own. */
  static final int MOST_LOGGERS = 100;

  private static final String UNCHANGEABLE = "The levels of this process's log cannot be changed";

  /**
   * What somebody has set for a logger.
   *
   * @param former what holds when the time is over; null for none
   */
  private record Given(LogLevel level, Optional<Instant> until, String by, Given former) {}

  /** Runs something later. */
  @FunctionalInterface
  interface Delay {
    void run(Duration after, Runnable task);
  }

  private final LoggerContext log;
  private final Delay delay;
  private final SortedMap<String, Given> given = new TreeMap<>();
  private int level;

  /** Counts the changes, so that the end of one that was replaced does nothing. */
  private long changes;

  /**
   * Level 0.
   *
   * @param admin of the log; null where nobody offers to change its levels
   */
  @Activate
  public Verbosity(@Reference(cardinality = ReferenceCardinality.OPTIONAL) LoggerAdmin admin) {
    this(admin, Verbosity::delay);
  }

  Verbosity(LoggerAdmin admin, Delay delay) {
    log = admin == null ? null : admin.getLoggerContext(null);
    this.delay = delay;
  }

  /** Of a process that offers nobody to change its log's levels: always 0. */
  public static Verbosity unchangeable() {
    return new Verbosity(null);
  }

  private static void delay(Duration after, Runnable task) {
    Executor later =
        CompletableFuture.delayedExecutor(after.toNanos(), TimeUnit.NANOSECONDS, Runnable::run);
    later.execute(task);
  }

  /** The level that holds now. */
  public synchronized int level() {
    return level;
  }

  /**
   * Sets the level for a while; a level set before is over.
   *
   * @param next from 0 to {@link #MOST}
   * @param duration after which it is 0 again
   * @param who asked for it, for the log
   * @throws UnsupportedOperationException where nobody offers to change the log's levels
   */
  public synchronized void set(int next, Duration duration, String who) {
    requireLog();
    LOG.info("{} sets the verbosity of the log to {} for {}", who, next, duration);
    become(next);
    if (next > 0) {
      long change = changes;
      delay.run(duration, () -> over(change));
    }
  }

  private synchronized void over(long change) {
    if (change == changes) {
      become(0);
      LOG.info("The verbosity of the log is 0 again");
    }
  }

  private void become(int next) {
    changes++;
    level = next;
    apply();
  }

  private void apply() {
    Map<String, LogLevel> levels = new HashMap<>(LEVELS.get(level));
    given.forEach((logger, one) -> levels.put(logger, one.level));
    if (levels.isEmpty()) {
      log.clear();
    } else {
      log.setLogLevels(levels);
    }
  }

  /** Those that have a level of their own, by name; a snapshot. */
  synchronized List<LoggerLevel> loggers() {
    return given.keySet().stream().map(this::logger).toList();
  }

  /**
   * What a logger logs now.
   *
   * @throws UnsupportedOperationException where nobody offers to change the log's levels
   */
  synchronized LoggerLevel logger(String logger) {
    requireLog();
    Given own = given.get(logger);
    return own == null
        ? new LoggerLevel(logger, log.getEffectiveLogLevel(logger), Optional.empty(), "")
        : new LoggerLevel(logger, own.level, own.until, own.by);
  }

  /**
   * Sets the level of some loggers, or takes it back.
   *
   * @param next empty for what it was before anybody set it
   * @param duration after which it is again what it was, apart from what was for a while as well;
   *     empty when it holds until it is changed
   * @param who asked for it
   * @throws IllegalArgumentException with a message for people when too many loggers have one
   * @throws UnsupportedOperationException where nobody offers to change the log's levels
   */
  synchronized void set(
      List<String> loggers, Optional<LogLevel> next, Optional<Duration> duration, String who) {
    requireLog();
    long added = loggers.stream().filter(logger -> !given.containsKey(logger)).count();
    if (next.isPresent() && given.size() + added > MOST_LOGGERS) {
      throw new IllegalArgumentException(
          MOST_LOGGERS
              + " loggers have a level of their own, the most; set some of them to "
              + LoggerLevels.DEFAULT);
    }
    Optional<Instant> until = duration.map(Instant.now()::plus);
    Map<String, Given> made = new HashMap<>();
    for (String logger : loggers) {
      Given old = given.remove(logger);
      if (next.isPresent()) {
        Given lasting = old == null || old.until.isEmpty() ? old : old.former;
        Given one = new Given(next.get(), until, who, until.isEmpty() ? null : lasting);
        given.put(logger, one);
        made.put(logger, one);
      }
    }
    apply();
    duration.ifPresent(after -> delay.run(after, () -> over(made)));
  }

  private synchronized void over(Map<String, Given> ended) {
    boolean changed = false;
    for (Map.Entry<String, Given> end : ended.entrySet()) {
      String logger = end.getKey();
      Given one = end.getValue();
      if (given.get(logger) == one) {
        if (one.former == null) {
          given.remove(logger);
        } else {
          given.put(logger, one.former);
        }
        changed = true;
        LOG.info("The level of {} that {} has set is over", logger, one.by);
      }
    }
    if (changed) {
      apply();
    }
  }

  private void requireLog() {
    if (log == null) {
      throw new UnsupportedOperationException(UNCHANGEABLE);
    }
  }

  /** Nobody would set it back later. */
  @Deactivate
  synchronized void close() {
    if (level > 0 || !given.isEmpty()) {
      given.clear();
      become(0);
    }
  }
}
