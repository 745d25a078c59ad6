package org.mezzo.api.checker;

import java.util.Objects;

/** What came of a look at a task. Immutable. */
public final class CheckResult {

  /** What can come of one. */
  public enum Kind {
    /** HTTP: there was an answer. */
    ANSWERED,
    /** TCP: there was a connection. */
    CONNECTED,
    /** TCP: it was refused. */
    REFUSED,
    /** It was not known in time, or not at all. */
    FAILED
  }

  private final Kind kind;
  private final int status;
  private final String reason;

  private CheckResult(Kind kind, int status, String reason) {
    this.kind = kind;
    this.status = status;
    this.reason = Objects.requireNonNull(reason, "reason");
  }

  /**
   * HTTP: there was an answer.
   *
   * @param status of the last one, where there were redirects; from 100 to 999
   * @throws IllegalArgumentException when it is not
   */
  public static CheckResult answered(int status) {
    if (status < 100 || status > 999) {
      throw new IllegalArgumentException("a status is from 100 to 999, not " + status);
    }
    return new CheckResult(Kind.ANSWERED, status, "");
  }

  /** TCP: there was a connection. */
  public static CheckResult connected() {
    return new CheckResult(Kind.CONNECTED, 0, "");
  }

  /**
   * TCP: there was none.
   *
   * @param reason for people; the first 1,000 characters are told
   */
  public static CheckResult refused(String reason) {
    return new CheckResult(Kind.REFUSED, 0, reason);
  }

  /**
   * It is not known whether the task answers, which makes it ill: an error, or its time was over.
   *
   * @param reason for people; the first 1,000 characters are told
   */
  public static CheckResult failed(String reason) {
    return new CheckResult(Kind.FAILED, 0, reason);
  }

  /** What came of it. */
  public Kind kind() {
    return kind;
  }

  /** The status of an answer; 0 where there is none. */
  public int status() {
    return status;
  }

  /** Why not, for people; empty where there is nothing to explain. */
  public String reason() {
    return reason;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CheckResult that
        && kind == that.kind
        && status == that.status
        && reason.equals(that.reason);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, status, reason);
  }

  @Override
  public String toString() {
    return kind + (kind == Kind.ANSWERED ? " " + status : reason.isEmpty() ? "" : " " + reason);
  }
}
