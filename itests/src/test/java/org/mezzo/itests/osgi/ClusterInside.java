package org.mezzo.itests.osgi;

import static org.junit.Assert.assertEquals;
import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.composite;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Distribution;
import org.mezzo.itests.cluster.Http;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
import org.ops4j.pax.exam.Option;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** A master of its own and two agents in the framework in which the test runs. */
public final class ClusterInside implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(60);

  /** How many agents it has. */
  public static final int AGENTS = 2;

  private final ModuleLeases leases;
  private final Path folder = Files.createTempDirectory("mezzo-itest-cluster");
  private final Deque<Configuration> daemons = new ArrayDeque<>();
  private final Configuration masterConfiguration;
  private final URI master;

  private ClusterInside(
      ConfigurationAdmin configurations,
      ModuleLeases leases,
      Map<String, String> masterFlags,
      Map<String, String> agentFlags)
      throws IOException {
    this.leases = leases;
    int port = Distribution.freePort();
    master = URI.create("http://127.0.0.1:" + port);
    masterConfiguration =
        daemon(
            configurations,
            "org.mezzo.master",
            Map.of(
                "mezzo.daemon", "master",
                "ip", "127.0.0.1",
                "port", Integer.toString(port),
                "work_dir", folder.resolve("master").toString(),
                "allocation_interval", "100ms"),
            masterFlags);
    for (int i = 1; i <= AGENTS; i++) {
      daemon(
          configurations,
          "org.mezzo.agent",
          Map.of(
              "mezzo.daemon",
              "agent-" + i,
              "ip",
              "127.0.0.1",
              "port",
              Integer.toString(Distribution.freePort()),
              "master",
              "127.0.0.1:" + port,
              "work_dir",
              folder.resolve("agent-" + i).toString(),
              "runtime_dir",
              folder.resolve("run-" + i).toString(),
              "registration_backoff_factor",
              "50ms",
              "resources",
              "cpus:2;mem:1024;disk:1024;ports:[31000-31100]"),
          agentFlags);
    }
  }

  /** Starts and waits until the agents are registered. */
  static ClusterInside start(ConfigurationAdmin configurations, ModuleLeases leases)
      throws IOException {
    return start(configurations, leases, Map.of(), Map.of());
  }

  /** The same with other flags, or other values. */
  public static ClusterInside start(
      ConfigurationAdmin configurations,
      ModuleLeases leases,
      Map<String, String> masterFlags,
      Map<String, String> agentFlags)
      throws IOException {
    ClusterInside cluster = new ClusterInside(configurations, leases, masterFlags, agentFlags);
    try {
      Await.until(
          AGENTS + " agents registered",
          PATIENCE,
          () -> cluster.get("/slaves").path("slaves").size() == AGENTS);
      return cluster;
    } catch (AssertionError e) {
      cluster.close();
      throw e;
    }
  }

  /** What a test that speaks JSON inside the framework needs there. */
  public static Option json() {
    return composite(
        bundle(location("com.fasterxml.jackson.databind.ObjectMapper")),
        bundle(location("com.fasterxml.jackson.annotation.JsonCreator")),
        fixtures());
  }

  /** What tests wait and speak to a master with. */
  static Option fixtures() {
    return bundle(location("org.mezzo.fixtures.Await"));
  }

  private static String location(String type) {
    try {
      return Class.forName(type).getProtectionDomain().getCodeSource().getLocation().toString();
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private Configuration daemon(
      ConfigurationAdmin configurations,
      String factory,
      Map<String, String> flags,
      Map<String, String> others)
      throws IOException {
    Configuration daemon = configurations.createFactoryConfiguration(factory, "?");
    daemons.push(daemon);
    Hashtable<String, String> all = new Hashtable<>(flags);
    all.putAll(others);
    daemon.update(all);
    return daemon;
  }

  public URI master() {
    return master;
  }

  /** Reads from the master; anything but 200 is an exception. */
  JsonNode get(String path) throws IOException {
    return Http.get(master.resolve(path)).json();
  }

  public double metric(String name) throws IOException {
    return snapshot().path(name).asDouble();
  }

  /** All numbers of the master. */
  public JsonNode snapshot() throws IOException {
    return get("/metrics/snapshot");
  }

  /** Changes the master's flag {@code --allocator} while it runs. */
  void selectAllocator(String name) throws IOException {
    select("allocator", name);
  }

  /** Changes a flag of the master that selects modules, while it runs, as the shell does. */
  public void select(String flag, String names) throws IOException {
    Dictionary<String, Object> flags = masterConfiguration.getProperties();
    flags.put(flag, names);
    masterConfiguration.update(flags);
  }

  /** Bundle and version of the allocator that the master uses; empty while it has none. */
  String allocator() {
    return lease()
        .flatMap(LeaseDescription::holder)
        .map(holder -> holder.bundleName() + " " + holder.bundleVersion())
        .orElse("");
  }

  private Optional<LeaseDescription> lease() {
    return leases.leases().stream()
        .filter(lease -> lease.daemon().equals("master") && lease.kind().equals(Allocator.KIND))
        .findFirst();
  }

  void awaitAllocator(String bundle) {
    awaitAllocator(bundle, PATIENCE);
  }

  private void awaitAllocator(String bundle, Duration limit) {
    try {
      Await.until("the master uses '" + bundle + "'", limit, () -> allocator().equals(bundle));
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "; " + leases.leases(), e);
    }
  }

  /** Demands that no agent has given away more than it has. */
  void checkLedger() throws IOException {
    List<String> overdrawn = new ArrayList<>();
    for (JsonNode agent : get("/slaves").path("slaves")) {
      for (String name : List.of("cpus", "mem", "disk")) {
        double given =
            agent.path("used_resources").path(name).asDouble()
                + agent.path("offered_resources").path(name).asDouble();
        if (given > agent.path("resources").path(name).asDouble() + 0.0005) {
          overdrawn.add(name + " of " + agent.path("id").asText() + ": " + given);
        }
      }
    }
    assertEquals(List.of(), overdrawn);
  }

  /** Ends the agents, then the master. */
  @Override
  public void close() throws IOException {
    while (!daemons.isEmpty()) {
      daemons.pop().delete();
    }
    Await.until("the daemons are gone", PATIENCE, () -> leases.leases().isEmpty());
    Distribution.delete(folder);
  }
}
