package org.mezzo.cli;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mezzo module rollout}: brings a module bundle to all agents, some at a time. */
@Command(
    name = "rollout",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = {
      "Bring a module bundle to all agents, some at a time.",
      "Agents that do worse with it stop the rollout, and all go back. It goes on when this command"
          + " is interrupted."
    })
final class RolloutCommand implements Callable<Integer> {
  @Mixin private MasterTarget target;

  /** What is to be rolled out. */
  private static final class What {
    @Parameters(paramLabel = "FILE", arity = "1", description = "Jar of the bundle.")
    private Path file;

    @Option(
        names = "--remove",
        paramLabel = "NAME",
        description = "Take the bundle with this symbolic name away instead.")
    private String remove;

    @Option(names = "--previous", description = "Go back to what was wanted before instead.")
    private boolean previous;
  }

  @ArgGroup(exclusive = true, multiplicity = "1")
  private What what;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1",
      description = "How many hosts at a time (default: 1).")
  private int batch;

  @Option(
      names = "--pause",
      paramLabel = "DURATION",
      defaultValue = "5secs",
      description =
          "How long the hosts of a batch have to be well before the next one, such as 30secs"
              + " (default: 5secs).")
  private String pause;

  @Option(
      names = "--patience",
      paramLabel = "DURATION",
      defaultValue = "1mins",
      description = "After how long a host has failed that is not well (default: 1mins).")
  private String patience;

  @Option(
      names = "--more-failures",
      paramLabel = "PERCENT",
      defaultValue = "10",
      description =
          "How many of a hundred tasks more may fail on hosts that were changed than twice what is"
              + " usual (default: 10; 100: it does not matter).")
  private int moreFailures;

  @Option(
      names = "--selector",
      paramLabel = "SELECTOR",
      defaultValue = "",
      description =
          "For agents with these attributes only: ATTRIBUTE=VALUE, separated by commas;"
              + " region=NAME for those of a region; role=master for masters, role=any for both.")
  private String selector;

  @Override
  public Integer call() throws HostException, FlagException, InterruptedException {
    if (what.file != null && !Files.isRegularFile(what.file)) {
      throw new FlagException("There is no file " + what.file);
    }
    try (ClusterModules cluster = new ClusterModules(target)) {
      Map<String, Object> begun =
          cluster.post(request(), Optional.ofNullable(what.file).filter(it -> !what.previous));
      return cluster.follow(begun);
    } catch (IOException e) {
      throw ClusterModules.failed("nothing is rolled out", e);
    }
  }

  private String request() {
    if (what.previous) {
      return "/rollback";
    }
    return "?batch="
        + batch
        + "&pause="
        + encoded(pause)
        + "&patience="
        + encoded(patience)
        + "&more_failures="
        + moreFailures
        + (what.remove == null
            ? "&selector=" + encoded(selector)
            : "&remove=" + encoded(what.remove));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
