package org.mezzo.master.agents;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RemovalRateTest {
  @Test
  void spreadsPermitsEvenly() {
    AtomicLong time = new AtomicLong();
    RemovalRate rate = RemovalRate.of(2, Duration.ofSeconds(10), time::get);
    assertThat(rate.acquire()).isEmpty();
    assertThat(rate.acquire()).contains(Duration.ofSeconds(5));
    time.addAndGet(Duration.ofSeconds(5).toNanos());
    assertThat(rate.acquire()).isEmpty();
  }

  @Test
  void unlimitedNeverWaits() {
    RemovalRate rate = RemovalRate.unlimited();
    assertThat(rate.acquire()).isEmpty();
    assertThat(rate.acquire()).isEmpty();
  }
}
