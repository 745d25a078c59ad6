package org.mezzo.master.agents;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/** How often agents may be marked unreachable ({@code --agent_removal_rate_limit}, rule 140). */
public final class RemovalRate {
  private final long intervalNanos;
  private final LongSupplier nanoTime;
  private long next;

  private RemovalRate(long intervalNanos, LongSupplier nanoTime) {
    this.intervalNanos = intervalNanos;
    this.nanoTime = nanoTime;
    this.next = nanoTime.getAsLong();
  }

  /** As often as needed. */
  public static RemovalRate unlimited() {
    return new RemovalRate(0, () -> 0);
  }

  /** So many in a period, evenly spread. */
  public static RemovalRate of(int permits, Duration period, LongSupplier nanoTime) {
    return new RemovalRate(period.toNanos() / permits, nanoTime);
  }

  /** Takes a permit, or tells how long to wait before trying again. */
  Optional<Duration> acquire() {
    long now = nanoTime.getAsLong();
    if (intervalNanos > 0 && now < next) {
      return Optional.of(Duration.ofNanos(next - now));
    }
    next = now + intervalNanos;
    return Optional.empty();
  }
}
