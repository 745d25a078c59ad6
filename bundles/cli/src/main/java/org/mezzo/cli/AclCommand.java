package org.mezzo.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import org.mezzo.acls.AclRule;
import org.mezzo.acls.Acls;
import org.mezzo.acls.AclsException;
import org.mezzo.acls.AclsSource;
import org.mezzo.acls.Decision;
import org.mezzo.flags.FlagException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Looks at access control lists. */
@Command(
    name = "acl",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Look at access control lists.")
final class AclCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
  }

  /**
   * Says what the authorizer {@code local} would say.
   *
   * @return 0 when it is allowed, 1 when it is denied
   * @throws FlagException when the question or the lists make no sense
   */
  @Command(
      name = "check",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description =
          "Say whether access control lists allow something, and which entry of them decided.",
      footer = {
        "",
        "Ends with status 0 when it is allowed, 1 when it is denied, 2 when the question or the",
        "access control lists make no sense. No daemon is asked."
      })
  int check(
      @Option(
              names = "--acls",
              required = true,
              paramLabel = "ACLS",
              description =
                  "The access control lists: a file, or JSON, as --acls of a master or an agent.")
          String acls,
      @Option(
              names = "--principal",
              paramLabel = "NAME",
              description = "Who asks (default: somebody who is not authenticated).")
          String principal,
      @Option(
              names = "--action",
              required = true,
              paramLabel = "ACTION",
              description =
                  "What it is about: an action, such as RUN_TASK, or a rule, such as run_tasks.")
          String action,
      @Option(
              names = "--object",
              paramLabel = "NAME",
              description =
                  "What of: a role, a user, a principal or a path, as the rule has it"
                      + " (default: nothing in particular).")
          String object)
      throws FlagException {
    List<AclRule> rules = rules(action);
    Optional<String> about = Optional.ofNullable(object).filter(it -> !it.isEmpty());
    for (AclRule rule : rules) {
      if (about.isPresent()
          && (rule.objects() == AclRule.Objects.ANYTHING
              || rule.objects() == AclRule.Objects.IMPLICIT)) {
        throw new FlagException(
            "--object: " + rule.field() + " is about nothing in particular; leave --object out");
      }
    }
    Acls read;
    try {
      read = AclsSource.of(acls).read();
    } catch (AclsException e) {
      throw new FlagException("--acls: " + e.getMessage());
    }
    read.warnings().forEach(warning -> System.err.println("mezzo: --acls: " + warning));
    Acls.Subject subject = read.subject(Optional.ofNullable(principal), rules);
    List<Decision> decisions = rules.stream().map(rule -> subject.decide(rule, about)).toList();
    // All have to allow it, and one that does not is reason enough.
    List<Decision> denials = decisions.stream().filter(decision -> !decision.allowed()).toList();
    System.out.println(denials.isEmpty() ? "allowed" : "denied");
    (denials.isEmpty() ? decisions : denials)
        .forEach(decision -> System.out.println("  " + decision.reason()));
    return denials.isEmpty() ? 0 : Mezzo.FAILURE;
  }

  private static List<AclRule> rules(String action) throws FlagException {
    List<AclRule> rules = AclRule.ofAction(action.toUpperCase(Locale.ROOT));
    if (!rules.isEmpty()) {
      return rules;
    }
    return AclRule.ofField(action.toLowerCase(Locale.ROOT))
        .map(List::of)
        .orElseThrow(
            () ->
                new FlagException(
                    "--action: '"
                        + action
                        + "' is no action; these are "
                        + String.join(
                            ", ",
                            new TreeSet<>(
                                Arrays.stream(AclRule.values())
                                    .flatMap(rule -> rule.actions().stream())
                                    .toList()))));
  }

  /**
   * Checks the access control lists of a daemon before it is started.
   *
   * @throws FlagException when they cannot be used; names field and line
   */
  static void require(String text) throws FlagException {
    try {
      AclsSource.of(text).read();
    } catch (AclsException e) {
      throw new FlagException("flag --acls: " + e.getMessage());
    }
  }
}
