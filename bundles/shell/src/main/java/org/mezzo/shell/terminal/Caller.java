package org.mezzo.shell.terminal;

import java.io.InputStream;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Job;

/** Who types in a session of the shell. Safe for any thread. */
public final class Caller {
  private static final String VARIABLE = ".mezzo.caller";

  /** Whoever is in the process already. */
  private static final Caller PROCESS =
      new Caller("shell", "the process", () -> Optional.of(Access.ADMINISTER));

  private final String principal;
  private final String place;
  private final Supplier<Optional<Access>> access;
  private final Optional<InputStream> sent;

  /**
   * Somebody.
   *
   * @param principal for histories
   * @param place from where, in words
   * @param access asked before each command; empty for who may nothing any more
   */
  Caller(String principal, String place, Supplier<Optional<Access>> access) {
    this(principal, place, access, Optional.empty());
  }

  private Caller(
      String principal,
      String place,
      Supplier<Optional<Access>> access,
      Optional<InputStream> sent) {
    this.principal = principal;
    this.place = place;
    this.access = access;
    this.sent = sent;
  }

  /** The same one, who sends something with a command. */
  Caller sending(InputStream something) {
    return new Caller(principal, place, access, Optional.of(something));
  }

  /** The one who sits at the process's own terminal. */
  static Caller console() {
    return new Caller("shell (console)", "the terminal", () -> Optional.of(Access.ADMINISTER));
  }

  /**
   * Whose command runs on this thread. A script of an administrator that has taken this out of its
   * session, and code that calls a command without any, is the process itself.
   */
  public static Caller current() {
    Job job = Job.Utils.current();
    return job != null && job.session().get(VARIABLE) instanceof Caller caller ? caller : PROCESS;
  }

  void enter(CommandSession session) {
    session.put(VARIABLE, this);
  }

  /** As whom changes are made. */
  public String principal() {
    return principal;
  }

  /**
   * What is sent with a command that is called without a terminal; to be read by that command, on
   * its thread. Empty at a terminal.
   */
  public Optional<InputStream> sent() {
    return sent;
  }

  String place() {
    return place;
  }

  /** What the caller may do now; empty for nothing. */
  Optional<Access> access() {
    return access.get();
  }

  /**
   * For commands of which some uses need more than others.
   *
   * @param what is about to be done, to be read after "may not"
   * @throws IllegalStateException with a message for the caller, who may not
   */
  public void demand(Access needed, String what) {
    Optional<Access> now = access();
    if (now.isEmpty() || !now.get().includes(needed)) {
      throw Gate.refused(this, now, needed, what);
    }
  }
}
