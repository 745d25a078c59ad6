package org.mezzo.daemon.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private final Backoff backoff = new Backoff(Duration.ofSeconds(2), Duration.ofSeconds(10));

  private List<Long> next(int times) {
    return Stream.generate(() -> backoff.next().toSeconds()).limit(times).toList();
  }

  @Test
  void doublesUpToItsBound() {
    assertThat(next(6)).containsExactly(2L, 4L, 8L, 10L, 10L, 10L);
  }

  @Test
  void beginsAnewAfterSuccess() {
    next(3);
    backoff.reset();
    assertThat(next(2)).containsExactly(2L, 4L);
  }
}
