package org.mezzo.master.constraints;

/** Offer constraints that cannot be applied; the message says which and why. */
public final class InvalidConstraintsException extends Exception {
  private static final long serialVersionUID = 1L;

  InvalidConstraintsException(String message) {
    super(message);
  }
}
