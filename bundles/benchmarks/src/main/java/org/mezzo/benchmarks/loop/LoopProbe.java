package org.mezzo.benchmarks.loop;

import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.daemon.loop.EventLoop;

/** How long what a loop is given waits until it has run. Written on the loop, as {@link Turns}. */
final class LoopProbe implements AutoCloseable {
  private static final int PERIOD_MILLIS = 2;

  private final EventLoop loop;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(task -> Emulated.daemon(task, "probe"));
  private long[] delays = new long[1 << 16];
  private int count;

  LoopProbe(EventLoop loop) {
    this.loop = loop;
    clock.scheduleAtFixedRate(this::ask, 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void ask() {
    long begin = System.nanoTime();
    loop.execute(() -> heard(System.nanoTime() - begin));
  }

  private void heard(long nanos) {
    if (count == delays.length) {
      delays = Arrays.copyOf(delays, 2 * count);
    }
    delays[count++] = nanos;
  }

  /** The delays in nanoseconds since the last call, ascending. */
  long[] take() {
    CompletableFuture<long[]> taken = new CompletableFuture<>();
    loop.execute(
        () -> {
          long[] all = Arrays.copyOf(delays, count);
          count = 0;
          Arrays.sort(all);
          taken.complete(all);
        });
    return taken.join();
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
