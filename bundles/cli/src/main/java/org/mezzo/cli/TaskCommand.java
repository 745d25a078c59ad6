package org.mezzo.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import org.mezzo.protocol.v1.Credential;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Works with the tasks of a cluster. */
@Command(
    name = "task",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Look at the tasks of a cluster, and into their containers.")
final class TaskCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "List the tasks that run.")
  int list(
      @Mixin MasterTarget target,
      @Option(names = "--all", description = "Those that have ended as well.") boolean all)
      throws HostException, FlagException, InterruptedException {
    HttpJson http = new HttpJson(target.credential());
    try (Masters masters = target.find()) {
      List<List<String>> table = new ArrayList<>();
      table.add(List.of("ID", "STATE", "FRAMEWORK", "EXECUTOR", "AGENT"));
      for (Map<String, Object> task :
          HttpJson.objects(
              http.get(
                  "http://%s/tasks?limit=-1&order=asc".formatted(http.leader(masters.address()))),
              "tasks")) {
        String state = String.valueOf(task.get("state"));
        if (all || state.equals("TASK_RUNNING")) {
          table.add(
              List.of(
                  String.valueOf(task.get("id")),
                  state,
                  String.valueOf(task.get("framework_id")),
                  String.valueOf(task.getOrDefault("executor_id", "")),
                  String.valueOf(task.get("slave_id"))));
        }
      }
      Table.print(table);
      return 0;
    } catch (IOException e) {
      throw new HostException("the tasks are not known: " + e.getMessage(), e);
    }
  }

  @Command(
      name = "exec",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Run a command in the container of a task.",
      footer = {
        "",
        "The command runs as the task's user, in its sandbox and with its variables, and ends with",
        "this one. The exit status is the command's; 128 and the signal's number when a signal"
            + " ended",
        "it. With -it it has a terminal: all keys go there, Ctrl-C as well; Ctrl-P Ctrl-Q ends it",
        "from outside.",
        "",
        "mezzo task exec -it web-1 bash"
      })
  int exec(
      @Mixin MasterTarget target,
      @Option(
              names = {"-i", "--interactive"},
              description = "Give it the standard input.")
          boolean interactive,
      @Option(
              names = {"-t", "--tty"},
              description = "Give it a terminal.")
          boolean tty,
      @Parameters(index = "0", paramLabel = "TASK", description = "Id of the task.") String task,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = "COMMAND",
              description = "A program and its arguments.")
          List<String> command)
      throws HostException, FlagException, InterruptedException {
    Optional<LocalTerminal> terminal = terminal(tty, "--tty");
    Optional<Credential> credential = target.credential();
    try (Masters masters = target.find()) {
      RunningTask running = RunningTask.find(new HttpJson(credential), masters.address(), task);
      return new ContainerConnection(running.agent(), credential, interactive, terminal)
          .exec(running.container(), command);
    } catch (IOException e) {
      throw new HostException("the command does not run: " + e.getMessage(), e);
    }
  }

  @Command(
      name = "attach",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Join the terminal of a task that was launched with one.",
      footer = {"", "Ctrl-P Ctrl-Q detaches, and leaves the task running."})
  int attach(
      @Mixin MasterTarget target,
      @Option(names = "--no-stdin", description = "Look only: send it nothing.") boolean noInput,
      @Parameters(paramLabel = "TASK", description = "Id of the task.") String task)
      throws HostException, FlagException, InterruptedException {
    Optional<LocalTerminal> terminal =
        noInput ? Optional.empty() : terminal(true, "task attach (or give it --no-stdin)");
    Optional<Credential> credential = target.credential();
    try (Masters masters = target.find()) {
      RunningTask running = RunningTask.find(new HttpJson(credential), masters.address(), task);
      return new ContainerConnection(running.agent(), credential, !noInput, terminal)
          .attach(running.container());
    } catch (IOException e) {
      throw new HostException("cannot attach: " + e.getMessage(), e);
    }
  }

  private static Optional<LocalTerminal> terminal(boolean wanted, String by)
      throws FlagException, InterruptedException {
    if (!wanted) {
      return Optional.empty();
    }
    Optional<LocalTerminal> found = LocalTerminal.find();
    if (found.isEmpty()) {
      throw new FlagException("the standard input is no terminal, which " + by + " needs");
    }
    return found;
  }
}
