package org.mezzo.modules;

import java.util.Optional;

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

  /** Whether a call failed only because there is no module, which was reported when it went. */
  public static boolean isAbsence(Throwable failure) {
    return is(failure, Kind.ABSENT);
  }

  /**
   * Whether a call failed because whom it was for holds the lease no longer; whoever comes next
   * knows nothing of it.
   */
  public static boolean isDeparture(Throwable failure) {
    return isAbsence(failure) || is(failure, Kind.STALE);
  }

  /** Whether a call failed by what the module itself did or did not do. */
  public static boolean isFault(Throwable failure) {
    return is(failure, Kind.THREW) || is(failure, Kind.LATE);
  }

  private static boolean is(Throwable failure, Kind kind) {
    return kindOf(failure).filter(kind::equals).isPresent();
  }

  /** Why a call gave no result; empty when what failed was no call of a module. */
  public static Optional<Kind> kindOf(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ModuleException module) {
        return Optional.of(module.kind);
      }
    }
    return Optional.empty();
  }

  public Kind kind() {
    return kind;
  }
}
