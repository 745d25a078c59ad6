package org.mezzo.itests.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.mezzo.fixtures.Await;

/** A cluster started by {@code bin/mezzo local}, on free ports, in a folder of its own. */
public final class LocalCluster implements AutoCloseable {
  private final Distribution distribution;
  private final Map<String, String> changes;
  private final int agents;
  private final List<String> arguments;
  private final Path folder;
  private final URI master;
  private MezzoProcess process;

  private LocalCluster(
      Distribution distribution,
      Map<String, String> changes,
      int agents,
      List<String> arguments,
      Path folder,
      URI master) {
    this.distribution = distribution;
    this.changes = changes;
    this.agents = agents;
    this.arguments = arguments;
    this.folder = folder;
    this.master = master;
  }

  /** Starts and waits until the agents are registered. */
  public static LocalCluster start(Distribution distribution, int agents, String... flags)
      throws IOException {
    return start(distribution, Map.of(), agents, flags);
  }

  /** The same with some variables of the environment changed; an empty value takes one out. */
  public static LocalCluster start(
      Distribution distribution, Map<String, String> changes, int agents, String... flags)
      throws IOException {
    Path folder = Files.createTempDirectory("mezzo-it");
    int port = Distribution.freePort();
    List<String> arguments = new ArrayList<>();
    arguments.add("local");
    arguments.add("--agents=" + agents);
    arguments.add("--port=" + port);
    arguments.add("--work_dir=" + folder.resolve("work"));
    arguments.addAll(List.of(flags));
    URI master = URI.create("http://127.0.0.1:" + port);
    LocalCluster cluster =
        new LocalCluster(distribution, changes, agents, arguments, folder, master);
    try {
      cluster.start();
    } catch (AssertionError e) {
      cluster.close();
      throw e;
    }
    return cluster;
  }

  /** Starts the process, the same once more when it has ended, over the same folder. */
  public void start() throws IOException {
    process =
        MezzoProcess.start(
            distribution, folder.resolve("logs"), changes, arguments.toArray(String[]::new));
    try {
      Await.until(
          agents + " agents registered",
          Duration.ofSeconds(120),
          () -> {
            if (!process.isAlive()) {
              throw new IllegalStateException("The cluster ended:\n" + process.stderr());
            }
            return agents().size() == agents;
          });
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + process.stderr(), e);
    }
  }

  /** Gives it more flags from its next start on. */
  public void also(String... flags) {
    arguments.addAll(List.of(flags));
  }

  /** Ends the process in order, and starts the same once more. */
  public void restart() throws IOException, InterruptedException {
    process.terminate();
    process.await(Duration.ofSeconds(60));
    start();
  }

  /** The registered agents, as {@code /slaves} shows them. */
  public List<JsonNode> agents() throws IOException {
    List<JsonNode> agents = new ArrayList<>();
    Http.get(master.resolve("/slaves")).json().path("slaves").forEach(agents::add);
    return agents;
  }

  /** A number of the master's metrics. */
  public double metric(String name) throws IOException {
    return Http.get(master.resolve("/metrics/snapshot")).json().path(name).asDouble(Double.NaN);
  }

  public URI master() {
    return master;
  }

  public Path folder() {
    return folder;
  }

  public MezzoProcess process() {
    return process;
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
    }
    Distribution.delete(folder);
  }
}
