package org.mezzo.shell.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.felix.service.command.CommandSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a line pass when its caller may do what it does, and writes down what is more than looking.
 * Gogo is a language with which anything of the process can be reached, so only administrators get
 * all of it; others get single commands with plain words. Safe for any thread.
 */
final class Gate {
  private static final Pattern CONFIG = Pattern.compile("\\bconfig\\s");

  /** A word, with what is quoted in it. */
  private static final Pattern WORD = Pattern.compile("(?:[^\\s\"']|\"[^\"]*\"?|'[^']*'?)+");

  /** The audit log of the shell. */
  private static final Logger AUDIT = LoggerFactory.getLogger("org.mezzo.shell.audit");

  private static final int MOST_CHARACTERS = 1_000;

  /** A command and its arguments, without anything that Gogo would evaluate. */
  private static final Pattern PLAIN =
      Pattern.compile("(?:([\\w.-]+):)?([\\w.-]+)(?:\\s[^$(){}\\[\\]<>|&;=#%`\\\\*?~^!\\v]*)?");

  private final CommandAccess commands;

  Gate(CommandAccess commands) {
    this.commands = commands;
  }

  /**
   * Says that a line may run now.
   *
   * @param line without blanks around it
   * @return whether that was written down
   * @throws IllegalStateException with a message for the caller, who may not
   */
  boolean pass(CommandSession session, Caller caller, String line) {
    Matcher plain = PLAIN.matcher(line);
    Optional<Access> needed =
        plain.matches()
            ? needed(session, Optional.ofNullable(plain.group(1)), plain.group(2))
            : Optional.of(Access.ADMINISTER);
    Optional<Access> access = caller.access();
    if (access.isEmpty() || !access.get().includes(needed.orElse(Access.VIEW))) {
      throw refused(
          caller,
          access,
          needed.orElse(Access.VIEW),
          plain.matches()
              ? line
              : line + ", which is more than one command with plain words behind it");
    }
    // What is no command can be a variable or an expression.
    if (needed.isEmpty() && !access.get().includes(Access.ADMINISTER)) {
      throw new IllegalArgumentException(
          "There is no command " + plain.group() + "; 'help' lists them");
    }
    if (!needed.equals(Optional.of(Access.VIEW))) {
      AUDIT.info(
          "{} ({}) at {}: {}",
          caller.principal(),
          access.get().word(),
          caller.place(),
          shown(line));
      return true;
    }
    return false;
  }

  /** Notes that what was let through has failed. */
  void failed(Caller caller, String line, String reason) {
    AUDIT.info(
        "{} at {}: {}: failed: {}",
        caller.principal(),
        caller.place(),
        shown(line),
        // A reason quotes what does not fit.
        CONFIG.matcher(line).find() ? "who called was told why" : shown(reason));
  }

  /** Whether somebody can use a command now, which may be called with its scope or without. */
  boolean mayUse(CommandSession session, Caller caller, String command) {
    Matcher plain = PLAIN.matcher(command);
    return plain.matches()
        && needed(session, Optional.ofNullable(plain.group(1)), plain.group(2))
            .flatMap(needed -> caller.access().map(it -> it.includes(needed)))
            .orElse(false);
  }

  /** What the most demanding of those commands needs that can be meant; empty for none. */
  private Optional<Access> needed(CommandSession session, Optional<String> scope, String function) {
    List<String> meant = new ArrayList<>();
    if (session.get(".commands") instanceof Set<?> all) {
      for (Object each : all) {
        String command = each.toString();
        int colon = command.indexOf(':');
        if (colon > 0
            && command.substring(colon + 1).equals(function)
            && scope.map(command.substring(0, colon)::equals).orElse(true)) {
          meant.add(command.substring(0, colon));
        }
      }
    }
    if (scope.isEmpty() && meant.contains("mezzo")) {
      meant.retainAll(List.of("mezzo"));
    }
    return meant.stream().map(it -> commands.needed(it, function)).max(Access::compareTo);
  }

  /** Writes down that somebody may not do something, and says so. */
  static IllegalStateException refused(
      Caller caller, Optional<Access> access, Access needed, String what) {
    AUDIT.warn(
        "{} ({}) at {} was refused, {} is needed: {}",
        caller.principal(),
        access.map(Access::word).orElse("nothing"),
        caller.place(),
        needed.word(),
        shown(what));
    return new IllegalStateException(
        access.isEmpty()
            ? "Your key is not authorized any more"
            : "You may not do this: it needs the role %s, and your key has %s. Who runs this process gives it with role=\"%s\" in front of the key: %s"
                .formatted(needed.word(), access.get().word(), needed.word(), shown(what)));
  }

  /**
   * In one line, so that nobody writes others into the log. Of values that parameters are given
   * only the names are told: some are passwords, and the history of modules tells all others.
   */
  private static String shown(String text) {
    String line = text.replaceAll("\\p{Cntrl}|\\v", " ");
    if (CONFIG.matcher(line).find()) {
      line = WORD.matcher(line).replaceAll(word -> Matcher.quoteReplacement(named(word.group())));
    }
    return line.length() > MOST_CHARACTERS ? line.substring(0, MOST_CHARACTERS) + "..." : line;
  }

  /** What a word that gives a parameter a value says of its name; every other word as it is. */
  private static String named(String word) {
    int equals = word.indexOf('=');
    return equals < 0 || word.startsWith("--unset=")
        ? word
        : word.substring(0, equals).replaceAll("[\"']", "") + "=...";
  }
}
