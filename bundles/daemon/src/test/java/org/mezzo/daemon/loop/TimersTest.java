package org.mezzo.daemon.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TimersTest {
  private static final Duration FAR = Duration.ofDays(1);

  private final EventLoop loop = new EventLoop("test");
  private final Timers timers = new Timers(loop);

  @AfterEach
  void close() {
    loop.close();
  }

  private void onLoop(Runnable action) throws Exception {
    CompletableFuture.runAsync(action, loop).get(60, TimeUnit.SECONDS);
  }

  @Test
  void manyNeedOneTimerOfTheLoop() {
    List<EventLoop.Timer> all = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      all.add(timers.schedule(FAR.plusSeconds(i % 7), () -> {}));
    }
    assertThat(timers.size()).isEqualTo(1_000);
    assertThat(loop.scheduled()).isEqualTo(1);
    all.forEach(EventLoop.Timer::cancel);
    assertThat(timers.size()).isZero();
    assertThat(loop.scheduled()).isZero();
  }

  @Test
  void theyRunInTheOrderInWhichTheyAreDueWhateverTheOrderTheyWereSetIn() throws Exception {
    List<String> ran = new CopyOnWriteArrayList<>();
    CountDownLatch three = new CountDownLatch(3);
    onLoop(
        () -> {
          // Set slowly they may be due in another order: then once more. None runs meanwhile.
          long begin;
          List<EventLoop.Timer> set = new ArrayList<>();
          do {
            set.forEach(EventLoop.Timer::cancel);
            set.clear();
            begin = System.nanoTime();
            for (int millis : new int[] {60, 20, 40}) {
              set.add(
                  timers.schedule(
                      Duration.ofMillis(millis),
                      () -> {
                        ran.add("after " + millis);
                        three.countDown();
                      }));
            }
          } while (System.nanoTime() - begin >= Duration.ofMillis(20).toNanos());
        });
    assertThat(three.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(ran).containsExactly("after 20", "after 40", "after 60");
    assertThat(timers.size()).isZero();
  }

  @Test
  void whoIsCalledOffDoesNotRunAndDoesNotHoldTheOthersUp() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch later = new CountDownLatch(1);
    EventLoop.Timer first = timers.schedule(Duration.ofMillis(10), runs::incrementAndGet);
    timers.schedule(Duration.ofMillis(30), later::countDown);
    onLoop(first::cancel);
    int before = runs.get();
    assertThat(later.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(runs).hasValue(before);
  }

  /** What is due waits for its turn, in which it may be called off or all may be over. */
  @Test
  void whatIsDueDoesNotRunOnceItIsCalledOffOrAllAreClosed() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch over = new CountDownLatch(1);
    onLoop(
        () -> {
          EventLoop.Timer[] second = new EventLoop.Timer[1];
          timers.schedule(
              Duration.ZERO,
              () -> {
                runs.incrementAndGet();
                second[0].cancel();
              });
          second[0] = timers.schedule(Duration.ZERO, runs::incrementAndGet);
          timers.schedule(
              Duration.ZERO,
              () -> {
                timers.close();
                over.countDown();
              });
          timers.schedule(Duration.ZERO, runs::incrementAndGet);
          // All are due when the loop looks.
          while (loop.waiting() == 0) {
            Thread.onSpinWait();
          }
        });
    assertThat(over.await(60, TimeUnit.SECONDS)).isTrue();
    onLoop(() -> {});
    assertThat(runs).hasValue(1);
    assertThat(timers.size()).isZero();
  }

  @Test
  void closingTakesThemOutOfTheLoop() {
    timers.schedule(FAR, () -> {});
    timers.every(FAR, () -> {});
    assertThat(loop.scheduled()).isEqualTo(2);
    timers.close();
    assertThat(loop.scheduled()).isZero();
    timers.schedule(FAR, () -> {});
    assertThat(loop.scheduled()).isZero();
  }
}
