package org.mezzo.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.flags.FlagValues;

/** Lengths of time as people write them on a command line. */
final class TimeText {
  private static final String NUMBER = "([0-9]+(?:\\.[0-9]+)?)";
  private static final Pattern SHORT =
      Pattern.compile(
          "(?:" + NUMBER + "d)?(?:" + NUMBER + "h)?(?:" + NUMBER + "m)?(?:" + NUMBER + "s)?(?:"
              + NUMBER + "ms)?");
  private static final long[] NANOS = {
    86_400_000_000_000L, 3_600_000_000_000L, 60_000_000_000L, 1_000_000_000L, 1_000_000L
  };

  private TimeText() {}

  /**
   * {@code 30s}, {@code 5m}, {@code 1h30m}, {@code 250ms}, {@code 2d}, and what flags of daemons
   * take, such as {@code 10mins}.
   *
   * @throws IllegalArgumentException with a message for people, also for a time that is not above
   *     zero
   */
  static Duration parse(String text) {
    String stripped = text.strip().toLowerCase(Locale.ROOT);
    Duration time = stripped.isEmpty() ? null : ofShort(stripped);
    if (time == null) {
      try {
        time = FlagValues.duration(stripped);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "'" + text + "' is no time: write for example 30s, 5m, 1h30m or 10mins", e);
      }
    }
    if (time.isZero() || time.isNegative()) {
      throw new IllegalArgumentException("'" + text + "' is not above zero");
    }
    return time;
  }

  private static Duration ofShort(String text) {
    Matcher matcher = SHORT.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    BigDecimal nanos = BigDecimal.ZERO;
    for (int i = 0; i < NANOS.length; i++) {
      if (matcher.group(i + 1) != null) {
        nanos =
            nanos.add(new BigDecimal(matcher.group(i + 1)).multiply(BigDecimal.valueOf(NANOS[i])));
      }
    }
    try {
      return Duration.ofNanos(nanos.toBigInteger().longValueExact());
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("'" + text + "' is too long", e);
    }
  }
}
