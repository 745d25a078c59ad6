package org.mezzo.daemon.logging;

import java.time.Duration;
import java.util.List;
import java.util.Map;
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
 * while, then it is 0 again (rule 352). One for all daemons of the process, as the log is. Safe for
 * any thread.
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

  /** Runs something later. */
  @FunctionalInterface
  interface Delay {
    void run(Duration after, Runnable task);
  }

  private final LoggerContext log;
  private final Delay delay;
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
    if (log == null) {
      throw new UnsupportedOperationException("The levels of this process's log cannot be changed");
    }
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
    if (next == 0) {
      log.clear();
    } else {
      log.setLogLevels(LEVELS.get(next));
    }
  }

  /** Nobody would set it back later. */
  @Deactivate
  synchronized void close() {
    if (level > 0) {
      become(0);
    }
  }
}
