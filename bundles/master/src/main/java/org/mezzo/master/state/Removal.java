package org.mezzo.master.state;

import java.time.Instant;
import java.util.Optional;

/**
 * How a framework came to be removed (rules 39 and 41). Immutable.
 *
 * @param principal of the operator who wanted it; empty when nobody was authenticated, and for
 *     other causes
 * @param at when nothing of it was left; empty while it is under way
 * @param readmitted whether an operator lets its id subscribe again
 */
public record Removal(
    Cause cause, Optional<String> principal, Optional<Instant> at, boolean readmitted) {

  /** Who or what removes frameworks. */
  public enum Cause {
    /** Its own TEARDOWN. */
    FRAMEWORK,
    /** TEARDOWN or {@code /teardown} of an operator. */
    OPERATOR,
    /** It did not come back within its {@code failover_timeout}. */
    FAILOVER_TIMEOUT
  }

  /** One that begins. */
  public static Removal by(Cause cause) {
    return new Removal(cause, Optional.empty(), Optional.empty(), false);
  }

  /** One that an operator wants, who may be nobody that is known. */
  public static Removal byOperator(Optional<String> principal) {
    return new Removal(Cause.OPERATOR, principal, Optional.empty(), false);
  }

  /** As done at that time. */
  public Removal done(Instant time) {
    return new Removal(cause, principal, Optional.of(time), readmitted);
  }

  /** As called off by an operator. */
  public Removal readmit() {
    return new Removal(cause, principal, at, true);
  }
}
