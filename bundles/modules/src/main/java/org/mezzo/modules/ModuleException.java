package org.mezzo.modules;

/** A module call that did not give a result. */
public final class ModuleException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Why there is no result. */
  public enum Kind {
    ABSENT,
    THREW,
    LATE,
    STALE,
    OVERLOADED
  }

  private final Kind kind;

  public ModuleException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
