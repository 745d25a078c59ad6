package org.mezzo.cli;

import org.mezzo.flags.FlagException;
import org.mezzo.flags.Passwords;
import org.mezzo.host.HostException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The command {@code mezzo}. */
@Command(
    name = "mezzo",
    mixinStandardHelpOptions = true,
    description = "A cluster manager that speaks the HTTP APIs of Apache Mesos.",
    versionProvider = Versions.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      LocalCommand.class,
      DaemonCommand.Master.class,
      DaemonCommand.Agent.class,
      ExecuteCommand.class,
      ModuleCommand.class,
      LogLevelCommand.class,
      AclCommand.class,
      OfferCommand.class,
      FrameworkCommand.class,
      TaskCommand.class,
      ClassDataCommand.class,
      HelpCommand.class
    })
public final class Mezzo implements Runnable {
  /** Exit status of commands that were called wrongly. */
  static final int USAGE = 2;

  /** Exit status of commands that failed. */
  static final int FAILURE = 1;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** Runs a command and ends the process with its status. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Mezzo());
    // What follows the name of a task is a command with options of its own.
    line.getSubcommands().get("task").getSubcommands().get("exec").setStopAtPositional(true);
    return line.setUsageHelpWidth(100)
        .setParameterExceptionHandler(
            (failure, arguments) -> {
              CommandLine command = failure.getCommandLine();
              command.getErr().println(Passwords.masked("" + failure.getMessage()));
              if (!CommandLine.UnmatchedArgumentException.printSuggestions(
                  failure, command.getErr())) {
                command.usage(command.getErr());
              }
              return USAGE;
            })
        .setExecutionExceptionHandler(
            (failure, command, parsed) -> {
              boolean usage = failure instanceof FlagException;
              if (usage || failure instanceof HostException) {
                command.getErr().println("mezzo: " + Passwords.masked("" + failure.getMessage()));
              } else {
                command.getErr().println("mezzo: " + Passwords.masked("" + failure));
                failure.printStackTrace(command.getErr());
              }
              return usage ? USAGE : FAILURE;
            });
  }

  /** Without a subcommand there is nothing to do but to say which there are. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
  }

  /** {@code mezzo version}. */
  @Command(name = "version", description = "Print the version.")
  int version() {
    spec.commandLine().printVersionHelp(System.out);
    return 0;
  }
}
