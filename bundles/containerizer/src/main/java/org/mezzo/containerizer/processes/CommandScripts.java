package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CommandInfo;

/** What a shell reads in order to become a container's first process. */
final class CommandScripts {
  private final SystemTools tools;

  CommandScripts(SystemTools tools) {
    this.tools = tools;
  }

  /**
   * Writes what the shim reads in order to become the task. The task's environment goes into these
   * files, which are closed to others, and from there into variables of the shell: arguments could
   * be read by every user of the machine.
   */
  void write(Launcher.Start start) throws LaunchException, IOException {
    TaskVariables variables = TaskVariables.of(start.environment());
    LaunchPlan plan = start.plan();
    Path command = start.folder().resolve("command");
    Path sandbox = start.sandbox();
    String output = start.io().keeping() == ContainerIo.Keeping.ERRORS ? "stderr" : "stdout";
    StringBuilder text = new StringBuilder(1024);
    if (start.account().isPresent()) {
      // The sandbox is entered, its files are opened and the environment is taken over as the user:
      // whatever links that user has put there lead nowhere it could not go by itself, and no
      // variable has a meaning to a program that is still root. The shell has the file open before
      // it is the user's, who could not open it.
      Path task = start.folder().resolve("task");
      StringBuilder asUser = new StringBuilder(1024);
      asUser.append("{ cd ").append(ShellText.quote(sandbox));
      asUser.append(" && exec </dev/null >>").append(output).append(" 2>>stderr");
      asUser.append(variables.exports().isEmpty() ? "" : " && " + variables.exports());
      asUser.append(" && exec ").append(invocation(start.command(), variables)).append("; }\n");
      writePrivate(task, asUser.toString());
      text.append("exec ").append(limited(plan)).append(tools.setsid());
      for (String word : tools.switching(start.account().get())) {
        text.append(' ').append(word);
      }
      text.append(' ').append(ShellText.quote(tools.shell())).append(" -s <");
      text.append(ShellText.quote(task)).append('\n');
    } else {
      text.append("exec </dev/null >>").append(ShellText.quote(sandbox.resolve(output)));
      text.append(" 2>>").append(ShellText.quote(sandbox.resolve("stderr"))).append('\n');
      text.append("cd ").append(ShellText.quote(sandbox)).append(" || exit 1\n");
      text.append(variables.exports()).append('\n');
      text.append("exec ").append(limited(plan)).append(tools.setsid()).append(' ');
      text.append(invocation(start.command(), variables)).append('\n');
    }
    writePrivate(command, text.toString());
  }

  /** What runs the rest of a command line under the plan's limits. */
  private String limited(LaunchPlan plan) throws LaunchException {
    if (plan.rlimits().isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder(64);
    text.append(tools.prlimit().orElseThrow());
    for (Map.Entry<String, LaunchPlan.Rlimit> limit : plan.rlimits().entrySet()) {
      text.append(' ').append(Rlimits.option(limit.getKey(), limit.getValue()));
    }
    return text.append(' ').toString();
  }

  private static void writePrivate(Path file, String text) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /** The command line of the task's first process, for a shell with its variables. */
  private String invocation(CommandInfo command, TaskVariables variables) throws LaunchException {
    StringBuilder text = new StringBuilder(256);
    text.append(tools.env());
    boolean shell = command.getShell();
    String program = command.getValue();
    if (!shell && program.isEmpty()) {
      throw new LaunchException("The command has neither a shell command nor a program to run");
    }
    // What env takes for a variable it never runs as a program.
    boolean assignment = program.indexOf('=') >= 0;
    Optional<String> name =
        shell || command.getArgumentsCount() == 0 || command.getArguments(0).equals(program)
            ? Optional.empty()
            : Optional.of(command.getArguments(0));
    boolean named = name.isPresent() && tools.argv0() && !assignment;
    if (named) {
      text.append(" --argv0=").append(ShellText.quote(name.get()));
    }
    text.append(variables.words());
    if (shell) {
      text.append(' ').append(ShellText.quote(tools.shell()));
      text.append(" -c ").append(ShellText.quote(program));
    } else {
      if (name.isPresent() && !named && tools.naming().isPresent()) {
        text.append(' ').append(tools.naming().get()).append(" -p -c ");
        text.append(ShellText.quote(withName(variables.names())));
        text.append(' ').append(ShellText.quote(name.get()));
      } else if (assignment) {
        text.append(' ').append(ShellText.quote(tools.shell())).append(" -c 'exec \"$@\"' sh");
      }
      text.append(' ').append(ShellText.quote(program));
      for (int i = 1; i < command.getArgumentsCount(); i++) {
        text.append(' ').append(ShellText.quote(command.getArguments(i)));
      }
    }
    return text.toString();
  }

  /**
   * Runs a program under the name that the shell got as its own (rule 200). Of the variables that
   * such shells add to the environment, what can be taken back is.
   */
  private static String withName(Set<String> variables) {
    StringBuilder text = new StringBuilder();
    for (String own : List.of("PWD", "OLDPWD")) {
      if (!variables.contains(own)) {
        text.append("unset ").append(own).append("; ");
      }
    }
    return text.append("exec -a \"$0\" -- \"$@\"").toString();
  }
}
