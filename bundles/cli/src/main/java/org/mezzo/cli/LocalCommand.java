package org.mezzo.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** Runs ZooKeeper, a master and agents in one process. */
@Command(
    name = "local",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Run a whole cluster in this process: ZooKeeper, a master and agents.",
    footer = {
      "",
      "Any other flag of a master or an agent (see mezzo master --help and mezzo agent --help)",
      "goes to those daemons that know it; the environment and etc/ are not read.",
      "With several agents each reports its share of the machine, unless --resources says what",
      "every one has."
    })
final class LocalCommand implements Callable<Integer> {
  @Option(
      names = "--agents",
      paramLabel = "N",
      defaultValue = "1",
      description = "Number of agents (default: ${DEFAULT-VALUE}).")
  private int agents;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "5050",
      description = "Port of the master; the agents take the next free ones. 0 takes any.")
  private int port;

  @Option(
      names = "--work_dir",
      paramLabel = "DIR",
      description = "Folder for everything the cluster keeps, kept itself when it ends.")
  private Path workDir;

  @Option(names = "--shell", description = "Open a shell on this terminal.")
  private boolean shell;

  @Unmatched private List<String> arguments = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    if (agents < 0 || agents > 1000) {
      throw new FlagException("--agents: " + agents + " is not between 0 and 1000");
    }
    if (port < 0 || port > 65_535) {
      throw new FlagException("--port: " + port + " is not between 0 and 65535");
    }
    if (shell) {
      arguments.add("--shell");
    }
    ShellOptions shellOptions = ShellOptions.takeFrom(arguments);
    Places places = Places.ofThisUser();
    Path work = Optional.ofNullable(workDir).orElse(places.state().resolve("local"));
    LocalCluster cluster =
        LocalCluster.plan(
            Home.ofThisProcess(),
            work.toAbsolutePath().normalize(),
            places,
            port,
            agents,
            arguments);
    cluster.log();
    Privileges.report();
    Encoding.report();
    try (LocalCluster running = cluster.start(shellOptions, true)) {
      running.awaitReady(Duration.ofSeconds(60), System.err::println);
      System.out.println("Master:    " + running.masterUrl());
      for (int i = 0; i < running.agentUrls().size(); i++) {
        System.out.println("Agent " + (i + 1) + ":   " + running.agentUrls().get(i));
      }
      System.out.println("ZooKeeper: " + running.zooKeeperUrl());
      System.out.println("Files:     " + work);
      System.out.println("The cluster is up. Ctrl-C ends it.");
      System.out.flush();
      running.host().awaitStop();
    }
    return 0;
  }
}
