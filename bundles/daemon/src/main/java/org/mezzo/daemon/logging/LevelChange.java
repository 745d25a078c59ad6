package org.mezzo.daemon.logging;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Refused;

/**
 * What somebody wants the level of the log to be for a while (rule 352), whatever way it was asked
 * for. Immutable.
 *
 * @param level as it was given
 * @param duration how long it is to hold
 */
public record LevelChange(long level, Duration duration) {

  /** What a client is told of a level that is none. */
  static String noLevel(String text) {
    return "Invalid level '" + text + "': write a number from 0 to " + Verbosity.MOST;
  }

  /** What is wrong with it; empty when it can be made. */
  public Optional<String> problem() {
    if (level < 0 || level > Verbosity.MOST) {
      return Optional.of(noLevel(Long.toString(level)));
    }
    return duration.isNegative()
        ? Optional.of("Invalid duration: it is negative")
        : Optional.empty();
  }

  /**
   * Makes it; there must be no {@link #problem}.
   *
   * @param principal who asked for it
   * @throws Refused with 501 where the log's levels cannot be changed
   */
  public void make(Verbosity verbosity, Optional<Principal> principal) throws Refused {
    try {
      verbosity.set(
          Math.toIntExact(level), duration, principal.flatMap(Principal::value).orElse("Somebody"));
    } catch (UnsupportedOperationException e) {
      throw new Refused(501, e.getMessage() + ".\n");
    }
  }
}
