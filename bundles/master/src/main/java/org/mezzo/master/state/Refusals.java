package org.mezzo.master.state;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The offers in a row of which a framework has used nothing. Immutable.
 *
 * @param offers how many it declined, or did not answer in time
 * @param timedOut how many of these it did not answer in time
 * @param since when the first of them came back; empty when there is none
 * @param chronic whether it is said to decline chronically, which lasts until it uses an offer,
 *     wants none or is gone
 */
public record Refusals(long offers, long timedOut, Optional<Instant> since, boolean chronic) {
  /** What a framework begins with that has just used an offer. */
  public static final Refusals NONE = new Refusals(0, 0, Optional.empty(), false);

  /** A framework that needs nothing for a moment has not come so far. */
  public static final long CHRONIC_OFFERS = 100;

  /** Of those that it kept to the end, which others could have used all the time. */
  public static final long CHRONIC_TIMEOUTS = 3;

  /** One that is looking for something rare may well decline so long. */
  public static final Duration CHRONIC_TIME = Duration.ofMinutes(10);

  /** With so many more, at that time. */
  public Refusals more(long refused, long expired, Instant now) {
    Instant first = since.orElse(now);
    long all = offers + refused + expired;
    long late = timedOut + expired;
    boolean many = all >= CHRONIC_OFFERS || late >= CHRONIC_TIMEOUTS;
    return new Refusals(
        all, late, Optional.of(first), chronic || (many && !first.plus(CHRONIC_TIME).isAfter(now)));
  }
}
