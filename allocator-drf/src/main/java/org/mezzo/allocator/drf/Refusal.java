package org.mezzo.allocator.drf;

import java.time.Instant;
import org.mezzo.resources.Resources;

/** What a framework does not want on an agent until some time, and what else it does not want. */
final class Refusal {
  final Resources resources;

  /** In milliseconds since the epoch. */
  final long expires;

  final Refusal next;

  Refusal(Resources resources, long expires, Refusal next) {
    this.resources = resources;
    this.expires = expires;
    this.next = next;
  }

  /** The first of those that are still good, in the same order. */
  static Refusal unexpired(Refusal refusal, long now) {
    if (refusal == null) {
      return null;
    }
    Refusal rest = unexpired(refusal.next, now);
    if (refusal.expires <= now) {
      return rest;
    }
    return rest == refusal.next ? refusal : new Refusal(refusal.resources, refusal.expires, rest);
  }

  /** Those that one more does not make superfluous. */
  static Refusal without(Refusal refusal, Resources resources, long expires) {
    if (refusal == null) {
      return null;
    }
    Refusal rest = without(refusal.next, resources, expires);
    if (refusal.expires <= expires && resources.contains(refusal.resources)) {
      return rest;
    }
    return rest == refusal.next ? refusal : new Refusal(refusal.resources, refusal.expires, rest);
  }

  /** Milliseconds since the epoch, as far as they go. */
  static long millis(Instant instant) {
    try {
      return instant.toEpochMilli();
    } catch (ArithmeticException e) {
      return instant.isAfter(Instant.EPOCH) ? Long.MAX_VALUE : Long.MIN_VALUE;
    }
  }
}
