package org.mezzo.client;

import java.io.IOException;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps an event stream open: watches heartbeats, connects again with growing random pauses (rule
 * 44). Its owner is called on one thread.
 */
final class Subscription implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Subscription.class);
  private static final long FIRST_PAUSE_MILLIS = 500;
  private static final long LAST_PAUSE_MILLIS = 15_000;
  private static final int MISSED_HEARTBEATS = 5;
  private static final Duration FIRST_HEARTBEAT = Duration.ofSeconds(15);

  /** What the stream is for; all methods run on the subscription's thread. */
  interface Owner {
    /** Opens the stream; completes when it ends. */
    CompletableFuture<byte[]> open(Transport.Records records);

    void opened(HttpHeaders headers);

    /** Decodes and handles one record; an exception ends the stream. */
    void record(byte[] record) throws IOException;

    /** The stream is gone and is opened again unless the subscription is closed. */
    void disconnected(String reason);

    /** The daemon refuses the subscription for good; nothing more is tried. */
    void refused(ApiException refusal);
  }

  private final ScheduledThreadPoolExecutor thread;
  private final Owner owner;

  /** The open stream, null when there is none. Changed on the thread only. */
  private volatile Stream stream;

  /** For the thread only, as all that follows. */
  private long pauseMillis = FIRST_PAUSE_MILLIS;

  private Duration heartbeat = FIRST_HEARTBEAT;
  private volatile boolean closed;

  Subscription(String name, Owner owner) {
    this.owner = owner;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread created = new Thread(task, name);
              created.setDaemon(true);
              return created;
            });
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.setRemoveOnCancelPolicy(true);
  }

  ScheduledExecutorService thread() {
    return thread;
  }

  void start() {
    execute(this::connect);
    thread.scheduleWithFixedDelay(this::watch, 1, 1, TimeUnit.SECONDS);
  }

  /** The stream works: later failures begin with short pauses again. */
  void established(Duration heartbeatInterval) {
    pauseMillis = FIRST_PAUSE_MILLIS;
    if (!heartbeatInterval.isZero() && !heartbeatInterval.isNegative()) {
      heartbeat = heartbeatInterval;
    }
  }

  boolean execute(Runnable task) {
    try {
      thread.execute(
          () -> {
            try {
              task.run();
            } catch (RuntimeException e) {
              LOG.error("A listener has failed", e);
            }
          });
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /** Drops the stream, for example when another leads; it is opened again. */
  void reconnect(String reason) {
    execute(
        () -> {
          if (stream != null) {
            gone(stream, reason);
          }
        });
  }

  @Override
  public void close() {
    closed = true;
    Stream open = stream;
    if (open != null) {
      open.cancel();
    }
    thread.shutdown();
  }

  private void connect() {
    if (closed || stream != null) {
      return;
    }
    Stream opening = new Stream();
    stream = opening;
    if (closed) {
      return;
    }
    owner.open(opening).whenComplete((nothing, failure) -> execute(() -> ended(opening, failure)));
  }

  private void ended(Stream which, Throwable failure) {
    if (which != stream) {
      return;
    }
    Throwable cause = failure == null ? null : Transport.unwrap(failure);
    if (cause instanceof ApiException refusal && !refusal.temporary()) {
      stream = null;
      closed = true;
      owner.refused(refusal);
      return;
    }
    gone(which, cause == null ? "the stream has ended" : Transport.describe(cause));
  }

  private void gone(Stream which, String reason) {
    which.cancel();
    stream = null;
    if (closed) {
      return;
    }
    owner.disconnected(reason);
    long pause = pauseMillis / 2 + ThreadLocalRandom.current().nextLong(pauseMillis / 2 + 1);
    pauseMillis = Math.min(LAST_PAUSE_MILLIS, pauseMillis * 2);
    try {
      thread.schedule(this::connect, pause, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("Closed while connecting again");
    }
  }

  private void watch() {
    Stream open = stream;
    if (open != null
        && System.nanoTime() - open.heard > heartbeat.multipliedBy(MISSED_HEARTBEATS).toNanos()) {
      gone(open, "no heartbeat for " + MISSED_HEARTBEATS + " intervals");
    }
  }

  private final class Stream extends Transport.Records {
    private volatile long heard = System.nanoTime();

    @Override
    void opened(HttpHeaders headers) {
      heard = System.nanoTime();
      execute(
          () -> {
            if (stream == this) {
              owner.opened(headers);
            }
          });
    }

    @Override
    void record(byte[] record) {
      heard = System.nanoTime();
      execute(
          () -> {
            if (stream == this) {
              try {
                owner.record(record);
              } catch (IOException e) {
                gone(this, "an event could not be read: " + e.getMessage());
              }
            }
          });
    }
  }
}
