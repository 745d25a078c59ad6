package org.mezzo.itests.swap;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.itests.cluster.Http;

/**
 * Clients that send 500 requests a second, in bursts, whatever becomes of those before; or one that
 * sends its next once it has an answer.
 */
final class Requests implements AutoCloseable {
  private static final int BURST = 20;
  private static final Duration PAUSE = Duration.ofMillis(40);
  private static final Duration PAUSE_ALONE = Duration.ofMillis(5);

  /** A machine that is too slow for the rate has no more requests than this under way. */
  private static final int MOST = 400;

  final Operations operations = new Operations();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final AtomicInteger underWay = new AtomicInteger();
  private final HttpRequest request;
  private final int expected;
  private final int most;

  /**
   * Sends requests that are to be answered 200.
   *
   * @param alone whether there is only one client, which waits for its answers
   */
  Requests(URI uri, boolean alone) {
    this(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60)).GET().build(), 200, alone);
  }

  /** Sends that request, and takes any other status for a failure. */
  Requests(HttpRequest request, int expected) {
    this(request, expected, false);
  }

  private Requests(HttpRequest request, int expected, boolean alone) {
    this.request = request;
    this.expected = expected;
    most = alone ? 1 : MOST;
    Duration pause = alone ? PAUSE_ALONE : PAUSE;
    clock.scheduleAtFixedRate(this::burst, 0, pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void burst() {
    for (int i = 0; i < BURST && underWay.get() < most; i++) {
      underWay.incrementAndGet();
      long begin = System.nanoTime();
      Http.CLIENT
          .sendAsync(request, HttpResponse.BodyHandlers.ofString())
          .whenComplete(
              (response, failure) -> {
                underWay.decrementAndGet();
                if (failure != null) {
                  operations.failed(failure.toString());
                } else if (response.statusCode() != expected) {
                  operations.failed("answered " + response.statusCode() + " " + response.body());
                } else {
                  operations.succeeded(begin);
                }
              });
    }
  }

  /** Sends no more; returns when all are answered. */
  @Override
  public void close() throws InterruptedException {
    clock.shutdown();
    while (underWay.get() > 0) {
      Thread.sleep(5);
    }
  }
}
