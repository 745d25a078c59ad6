package org.mezzo.daemon.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventLoopTest {
  private static final Duration PERIOD = Duration.ofMillis(100);

  private final EventLoop loop = new EventLoop("test");

  @AfterEach
  void close() {
    loop.close();
  }

  @Test
  void aLoopThatWasHeldUpFindsOneRunWaitingAndTheNextKeepsItsDistance() throws Exception {
    List<Long> runs = new CopyOnWriteArrayList<>();
    CountDownLatch enough = new CountDownLatch(3);
    AtomicInteger waiting = new AtomicInteger();
    loop.execute(
        () -> {
          loop.every(
              PERIOD,
              () -> {
                runs.add(System.nanoTime());
                enough.countDown();
              });
          // Until long after five runs were due.
          long end = System.nanoTime() + PERIOD.multipliedBy(5).toNanos() + PERIOD.toNanos() / 2;
          while (System.nanoTime() < end || loop.waiting() == 0) {
            Thread.onSpinWait();
          }
          waiting.set(loop.waiting());
        });

    assertThat(enough.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(waiting).hasValue(1);
    for (int i = 1; i < 3; i++) {
      assertThat(runs.get(i) - runs.get(i - 1)).isGreaterThanOrEqualTo(PERIOD.toNanos());
    }
  }

  @Test
  void aRunThatFailsIsNotTheLast() throws Exception {
    CountDownLatch twice = new CountDownLatch(2);
    loop.every(
        Duration.ofMillis(1),
        () -> {
          twice.countDown();
          throw new IllegalStateException("meant");
        });
    assertThat(twice.await(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void whatIsCalledOffOnTheLoopDoesNotRunThoughItWaitsAlready() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(1);
    loop.execute(
        () -> {
          EventLoop.Timer once = loop.schedule(Duration.ZERO, runs::incrementAndGet);
          EventLoop.Timer always = loop.every(Duration.ZERO, runs::incrementAndGet);
          while (loop.waiting() < 2) {
            Thread.onSpinWait();
          }
          once.cancel();
          always.cancel();
          loop.execute(done::countDown);
        });
    assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(runs).hasValue(0);
  }
}
