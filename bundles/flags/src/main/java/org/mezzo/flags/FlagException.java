package org.mezzo.flags;

/**
 * A flag that is unknown or has a value it cannot have; the message names flag and remedy, and
 * shows no password of a URL.
 */
public final class FlagException extends Exception {
  private static final long serialVersionUID = 1L;

  public FlagException(String message) {
    super(Passwords.masked(message));
  }
}
