package org.mezzo.containerizer;

import java.util.Objects;

/** Nobody can be attached to a container; the message says why. */
public final class AttachException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What stands in the way. */
  public enum Reason {
    /** There is no such container, or it has ended. */
    UNKNOWN,
    /** It was launched without anything to attach to, or by a launcher that has nothing. */
    NOT_ATTACHABLE,
    /** It has not begun, or the agent is stopping, or its shim does not answer: try again. */
    UNAVAILABLE,
    /** Somebody else has its input, or too many have its output. */
    BUSY
  }

  private final Reason reason;

  public AttachException(Reason reason, String message) {
    super(message);
    this.reason = Objects.requireNonNull(reason, "reason");
  }

  /** What stands in the way. */
  public Reason reason() {
    return reason;
  }
}
