package org.mezzo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.files.jars.NamedJar;
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
    @Parameters(
        paramLabel = "FILE|URL",
        arity = "1",
        description = "The bundle's jar: a path, or a URL of file, http or https.")
    private String jar;

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
      names = "--sha256",
      paramLabel = "DIGEST",
      description = "The SHA-256 that the jar must have.")
  private String sha256;

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
    if (sha256 != null && what.jar == null) {
      throw new FlagException("--sha256 is of a jar: name one by a path or a URL");
    }
    if (what.jar == null) {
      return begin(Optional.empty());
    }
    try (NamedJar named = JarParameter.open(what.jar, Optional.ofNullable(sha256))) {
      return begin(Optional.of(named.file()));
    }
  }

  private int begin(Optional<Path> jar) throws HostException, FlagException, InterruptedException {
    try (ClusterModules cluster = new ClusterModules(target)) {
      Map<String, Object> begun =
          what.previous ? cluster.post("/rollback", Map.of(), jar) : cluster.post("", query(), jar);
      return cluster.follow(begun);
    } catch (IOException e) {
      throw ClusterModules.failed("nothing is rolled out", e);
    }
  }

  private Map<String, String> query() {
    Map<String, String> query = new LinkedHashMap<>();
    query.put("batch", Integer.toString(batch));
    query.put("pause", pause);
    query.put("patience", patience);
    query.put("more_failures", Integer.toString(moreFailures));
    if (what.remove == null) {
      query.put("selector", selector);
    } else {
      query.put("remove", what.remove);
    }
    return query;
  }
}
