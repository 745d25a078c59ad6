package org.mezzo.master.reads;

import java.time.Instant;

/** Times as operators read them. */
public final class EpochSeconds {
  private EpochSeconds() {}

  /** Seconds since the epoch, to the microsecond. */
  public static double of(Instant instant) {
    return instant.getEpochSecond() + (instant.getNano() / 1000) / 1e6;
  }
}
