package org.mezzo.containerizer.processes;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads on which work for containers is done, so that nothing slow stands before something
 * urgent: signals and kills wait for no launch, and launches for no disk but their own.
 */
final class Lanes implements AutoCloseable {
  private static final int SPAWNING = 4;
  private static final int FILES = 8;
  private static final int LOOKUPS = 4;
  private static final int MOST_WAITING = 100_000;

  /** Signals, kills and what comes after them; nothing on it waits for anything. */
  final ScheduledThreadPoolExecutor control;

  /** Asks the launcher for processes and lets them go. */
  final ThreadPoolExecutor spawn;

  /** Makes sandboxes, reads what processes use. */
  final ThreadPoolExecutor files;

  /** Asks the name service of the machine, which may hang. */
  final ThreadPoolExecutor lookups;

  Lanes(String name) {
    control = new ScheduledThreadPoolExecutor(1, threads(name + "-containers-control-"));
    control.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    spawn = pool(SPAWNING, name + "-containers-spawn-");
    files = pool(FILES, name + "-containers-files-");
    lookups = pool(LOOKUPS, name + "-containers-accounts-");
  }

  private static ThreadPoolExecutor pool(int size, String prefix) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            size,
            size,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MOST_WAITING),
            threads(prefix));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  static ThreadFactory threads(String prefix) {
    AtomicInteger count = new AtomicInteger();
    return task -> thread(prefix + count.incrementAndGet(), task);
  }

  static Thread thread(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    return thread;
  }

  /** Work that waits, in all but the control lane. */
  int waiting() {
    return spawn.getQueue().size() + files.getQueue().size() + lookups.getQueue().size();
  }

  @Override
  public void close() {
    control.shutdownNow();
    spawn.shutdown();
    files.shutdown();
    lookups.shutdownNow();
  }
}
