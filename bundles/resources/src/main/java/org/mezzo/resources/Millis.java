package org.mezzo.resources;

import java.math.BigDecimal;
import java.math.MathContext;

/** Amounts in thousandths (rule 272). */
final class Millis {
  /** The largest scalar a message may have; thousandths of it are exact as a double. */
  static final double MAX_SCALAR = 9e12;

  private static final MathContext PRINTED = new MathContext(15);

  private Millis() {}

  /** Rounds half away from zero. */
  static long of(double value) {
    return value < 0 ? -Math.round(-value * 1000) : Math.round(value * 1000);
  }

  static double toDouble(long millis) {
    return millis / 1000 + (millis % 1000) / 1000.0;
  }

  /** The sum, at most {@link Long#MAX_VALUE}; neither may be negative. */
  static long sum(long a, long b) {
    long sum = a + b;
    return sum < 0 ? Long.MAX_VALUE : sum;
  }

  /** The thousandths of a count, at most {@link Long#MAX_VALUE}. */
  static long ofCount(long count) {
    return count > Long.MAX_VALUE / 1000 ? Long.MAX_VALUE : count * 1000;
  }

  /** Rule 277. */
  static String print(long millis) {
    if (millis % 1000 == 0) {
      return Long.toString(millis / 1000);
    }
    return BigDecimal.valueOf(millis, 3).round(PRINTED).stripTrailingZeros().toPlainString();
  }
}
