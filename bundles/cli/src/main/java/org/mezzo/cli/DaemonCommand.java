package org.mezzo.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.Flags;
import org.mezzo.host.Host;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** Runs one daemon until it is told to stop. */
abstract class DaemonCommand implements Callable<Integer> {
  private final Role role;

  @Unmatched private List<String> arguments = new ArrayList<>();

  DaemonCommand(Role role) {
    this.role = role;
  }

  /** {@code mezzo master}. */
  @Command(name = "master", description = "Run a master.")
  static final class Master extends DaemonCommand {
    Master() {
      super(Role.MASTER);
    }
  }

  /** {@code mezzo agent}. */
  @Command(name = "agent", description = "Run an agent.")
  static final class Agent extends DaemonCommand {
    Agent() {
      super(Role.AGENT);
    }
  }

  @Override
  public Integer call() throws Exception {
    Home home = Home.ofThisProcess();
    FlagDefinitions definitions = home.definitions(role);
    ShellOptions shell = ShellOptions.takeFrom(arguments);
    Map<String, String> given =
        DaemonFlags.collect(
            role, definitions, arguments, System.getenv(), home.etc(), Path.of("/"));
    Flags flags = definitions.parse(given);
    if (flags.bool("help")) {
      FlagHelp.print(role, definitions, System.out);
      return 0;
    }
    if (flags.bool("version")) {
      System.out.println(String.join(System.lineSeparator(), new Versions().getVersion()));
      return 0;
    }
    Optional<Path> log = Boot.log(flags, "mezzo-" + role.daemon());
    Places places = Places.ofThisUser();
    given.putIfAbsent("work_dir", places.state().resolve(role.daemon()).toString());
    if (role == Role.AGENT) {
      given.putIfAbsent("runtime_dir", places.runtime().resolve(role.daemon()).toString());
    }
    Boot boot =
        new Boot(home, places.runtime(), Path.of(given.get("work_dir")).resolve("deployment"));
    boot.showing(log);
    boot.daemon(role, role.daemon(), definitions, given);
    shell.addTo(boot);
    Privileges.report();
    Encoding.report();
    Host host = boot.start(true);
    host.awaitStop();
    return 0;
  }
}
