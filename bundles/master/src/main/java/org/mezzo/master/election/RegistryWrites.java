package org.mezzo.master.election;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;

/**
 * Writes to the registry during one term, and sees to it that they come to an end (rule 163).
 * Belongs to the event loop.
 */
final class RegistryWrites implements AutoCloseable {
  private static final Duration WINDOW = Duration.ofDays(1);

  private final EventLoop loop;
  private final Registry registry;
  private final Duration limit;
  private final Consumer<TimeoutException> stuck;
  private final MetricsRegistry.Timer time;
  private final AtomicInteger underWay = new AtomicInteger();

  /** When a write came to its end last, {@link System#nanoTime}. */
  private long progress;

  private EventLoop.Timer watch = () -> {};
  private boolean closed;

  /**
   * Nothing written yet.
   *
   * @param limit how long nothing may come to its end while something is under way
   * @param stuck told when that was longer
   */
  RegistryWrites(
      EventLoop loop,
      Registry registry,
      Duration limit,
      MetricsRegistry metrics,
      Consumer<TimeoutException> stuck) {
    this.loop = loop;
    this.registry = registry;
    this.limit = limit;
    this.stuck = stuck;
    this.time = metrics.timer("registrar/state_store_ms", WINDOW);
    metrics.gauge("registrar/queued_operations", underWay::get);
  }

  /** Writes; completes on the event loop. */
  CompletionStage<Void> apply(List<Registry.Change> changes) {
    long began = System.nanoTime();
    if (underWay.getAndIncrement() == 0) {
      progress = began;
      watch(limit);
    }
    return registry
        .apply(changes)
        .whenComplete(
            (unused, failure) -> {
              progress = System.nanoTime();
              if (underWay.decrementAndGet() == 0) {
                watch.cancel();
              }
              if (failure == null) {
                time.recordNanos(System.nanoTime() - began);
              }
            });
  }

  /** Many that wait for each other may take longer together. */
  private void watch(Duration wait) {
    watch =
        loop.schedule(
            wait,
            () -> {
              Duration silent = Duration.ofNanos(System.nanoTime() - progress);
              if (silent.compareTo(limit) < 0) {
                watch(limit.minus(silent));
                return;
              }
              long seen = progress;
              // An answer may wait for its turn on a loop that was held up.
              loop.execute(() -> judge(seen));
            });
  }

  private void judge(long seen) {
    if (closed || underWay.get() == 0) {
      return;
    }
    if (seen != progress) {
      watch(limit);
      return;
    }
    stuck.accept(new TimeoutException("it was not written within " + limit.toSeconds() + " s"));
  }

  @Override
  public void close() {
    closed = true;
    watch.cancel();
  }
}
