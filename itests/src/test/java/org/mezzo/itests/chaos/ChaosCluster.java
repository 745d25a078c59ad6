package org.mezzo.itests.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.curator.test.InstanceSpec;
import org.apache.curator.test.TestingServer;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Distribution;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.cluster.MezzoProcess;

/**
 * Two masters, found through a ZooKeeper that nobody kills, and two agents, each on a port and in
 * folders of its own that stay the same when it is started again. For one thread.
 */
final class ChaosCluster implements AutoCloseable {
  static final Duration LIMIT = Duration.ofSeconds(180);

  /** Until a killed leader is missed. */
  private static final String SESSION = "5secs";

  private static final int TICK_MILLIS = 500;
  private static final String CGROUPS_ROOT = "mezzo-it-chaos-" + ProcessHandle.current().pid();
  private static final Path HIERARCHY = Path.of("/sys/fs/cgroup");
  private static final boolean CGROUPS =
      Files.isWritable(HIERARCHY.resolve("memory/cgroup.procs"))
          || Files.isWritable(HIERARCHY.resolve("cgroup.subtree_control"));

  /** A daemon, or the place of one that was killed. */
  final class Daemon {
    final String name;
    final URI uri;
    private final List<String> arguments;
    private MezzoProcess process;

    /** Whether it was killed on purpose and not started since. */
    private boolean killed;

    private Daemon(String kind, String name, List<String> more) {
      this.name = name;
      int port = Distribution.freePort();
      uri = URI.create("http://127.0.0.1:" + port);
      arguments = new ArrayList<>(List.of(kind, "--port=" + port));
      arguments.add("--work_dir=" + folder.resolve(name));
      arguments.addAll(more);
    }

    void start() throws IOException {
      process =
          MezzoProcess.start(
              Distribution.built(),
              folder.resolve("logs").resolve(name),
              // They start often and live shortly.
              Map.of("MEZZO_JAVA_OPTS", "-XX:TieredStopAtLevel=1"),
              arguments.toArray(String[]::new));
      killed = false;
    }

    /** SIGKILL to it alone. */
    void kill() {
      killed = true;
      process.killAlone();
    }

    boolean runs() {
      return process.isAlive();
    }

    /** Whether it ended though nobody killed it. */
    boolean endedByItself() {
      return !killed && !process.isAlive();
    }

    /** The last of what it said. */
    String lastWords() {
      String words = process.stderr() + process.stdout();
      return name + ": " + words.substring(Math.max(0, words.length() - 2000));
    }

    Path runtime() {
      return folder.resolve(name + "-run");
    }

    RunningContainers containers() {
      return new RunningContainers(runtime());
    }

    JsonNode get(String path) throws IOException {
      return Http.get(uri.resolve(path)).json();
    }

    private String cgroups() {
      return CGROUPS_ROOT + "-" + name;
    }
  }

  private final Path folder;
  private final TestingServer zooKeeper;
  private final List<Daemon> masters = new ArrayList<>();
  private final List<Daemon> agents = new ArrayList<>();

  /**
   * Starts ZooKeeper, and nothing else yet.
   *
   * @param launcher {@code --launcher} of the agents; empty for what they choose
   */
  ChaosCluster(Path folder, String launcher) throws Exception {
    this.folder = folder;
    zooKeeper =
        new TestingServer(
            new InstanceSpec(
                folder.resolve("zookeeper").toFile(), -1, -1, -1, true, -1, TICK_MILLIS, -1),
            true);
    String zk = "zk://" + zooKeeper.getConnectString() + "/mezzo";
    for (int i = 0; i < 2; i++) {
      masters.add(
          new Daemon(
              "master",
              "master" + i,
              List.of(
                  "--zk=" + zk,
                  "--zk_session_timeout=" + SESSION,
                  "--quorum=1",
                  "--allocation_interval=100ms")));
    }
    for (int i = 0; i < 2; i++) {
      String name = "agent" + i;
      List<String> flags =
          new ArrayList<>(
              List.of(
                  "--master=" + zk,
                  "--runtime_dir=" + folder.resolve(name + "-run"),
                  "--cgroups_root=" + CGROUPS_ROOT + "-" + name,
                  "--resources=cpus:8;mem:4096;disk:4096",
                  "--registration_backoff_factor=500ms",
                  "--executor_reregistration_timeout=15secs",
                  "--executor_registration_timeout=3mins",
                  // What nobody uses any more goes at once, so that what is left has an owner.
                  "--gc_delay=2secs",
                  "--gc_disk_headroom=0.0"));
      if (!launcher.isEmpty()) {
        flags.add("--launcher=" + launcher);
      }
      if (CGROUPS && i == 0) {
        // Processes there wait until isolators have them, the others do not.
        flags.add("--isolation=cgroups/cpu,cgroups/mem");
      }
      agents.add(new Daemon("agent", name, flags));
    }
  }

  /** Starts all, and waits until the agents are registered. */
  void start() throws IOException {
    for (Daemon master : masters) {
      master.start();
    }
    for (Daemon agent : agents) {
      agent.start();
    }
    awaitAgents();
  }

  /** Waits until the leader has all agents. */
  void awaitAgents() {
    Await.until(
        "the agents are registered",
        LIMIT,
        () ->
            leader().orElseThrow().get("/state").path("activated_slaves").asInt() == agents.size());
  }

  List<Daemon> agents() {
    return agents;
  }

  List<Daemon> masters() {
    return masters;
  }

  List<URI> masterUris() {
    return masters.stream().map(master -> master.uri).toList();
  }

  /** The master that leads now; empty while none does. */
  Optional<Daemon> leader() {
    for (Daemon master : masters) {
      try {
        if (master.runs() && master.get("/metrics/snapshot").path("master/elected").asInt() == 1) {
          return Optional.of(master);
        }
      } catch (IOException e) {
        // It does not answer yet, or no more.
        continue;
      }
    }
    return Optional.empty();
  }

  /**
   * What is left on the machine and in the daemons of containers, none of which should be there any
   * more: each described for people.
   */
  List<String> leftovers() throws IOException {
    List<String> left = new ArrayList<>();
    processes(left);
    for (Daemon agent : agents) {
      for (Path path : agent.containers().folders()) {
        left.add("folder of a container: " + path);
      }
      sandboxes(folder.resolve(agent.name), left);
      cgroups(agent.cgroups(), left);
      if (agent.containers().spawners().size() > 1) {
        left.add("more than one spawner: " + agent.containers().spawners());
      }
      remembered(agent, left);
    }
    for (JsonNode slave : leader().orElseThrow().get("/slaves").path("slaves")) {
      for (Map.Entry<String, JsonNode> used : slave.path("used_resources").properties()) {
        if (used.getValue().asDouble() > 0) {
          left.add("charged: " + used + " of the agent " + slave.path("pid").asText());
        }
      }
    }
    Collections.sort(left);
    return left;
  }

  private void processes(List<String> left) {
    List<Long> daemons = new ArrayList<>();
    for (Daemon agent : agents) {
      daemons.add(agent.process.pid());
      agent.containers().spawners().forEach(one -> daemons.add(one.pid()));
      agent.containers().spawner().ifPresent(one -> daemons.add(one.pid()));
    }
    for (Processes.One one : Processes.all()) {
      if (one.state() == 'Z') {
        if (daemons.contains(one.parent())) {
          left.add("zombie: " + one);
        }
        continue;
      }
      boolean shim = launcher(one) && !daemons.contains(one.pid());
      boolean inSandbox =
          agents.stream()
              .anyMatch(
                  agent ->
                      Processes.directory(one.pid())
                          .startsWith(folder.resolve(agent.name).resolve("slaves").toString()));
      boolean marked = Processes.environment(one.pid()).contains("MESOS_SANDBOX=" + folder);
      if (shim || inSandbox || marked) {
        left.add("process: " + one);
      }
    }
  }

  /** Whether it makes containers or watches over one, natively or by a shell. */
  private boolean launcher(Processes.One one) {
    return (one.name().startsWith("mezzo-s") || one.command().contains("launcher.sh"))
        && one.command().contains(folder.toString());
  }

  private static void sandboxes(Path workDir, List<String> left) {
    try (Stream<Path> all = Files.walk(workDir.resolve("slaves"), 7)) {
      all.filter(path -> path.getParent().endsWith("runs"))
          .forEach(path -> left.add("sandbox: " + path));
    } catch (IOException | java.io.UncheckedIOException e) {
      // Taken away while it was looked at; or there never was one.
    }
  }

  private static void cgroups(String root, List<String> left) throws IOException {
    if (!Files.isDirectory(HIERARCHY)) {
      return;
    }
    List<Path> hierarchies = new ArrayList<>(List.of(HIERARCHY));
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(HIERARCHY)) {
      entries.forEach(hierarchies::add);
    }
    for (Path hierarchy : hierarchies) {
      Path own = hierarchy.resolve(root);
      if (Files.isDirectory(own)) {
        try (Stream<Path> inside = Files.list(own)) {
          inside.filter(Files::isDirectory).forEach(path -> left.add("cgroup: " + path));
        }
      }
    }
  }

  /** What an agent still knows of. */
  private static void remembered(Daemon agent, List<String> left) throws IOException {
    for (JsonNode each : agent.get("/containers")) {
      left.add("container of " + agent.name + ": " + each.path("container_id").asText());
    }
    for (JsonNode framework : agent.get("/state").path("frameworks")) {
      left.add("framework of " + agent.name + ": " + framework.path("id").asText());
    }
    JsonNode metrics = agent.get("/metrics/snapshot");
    // The boot of the machine is always there.
    if (metrics.path("slave/journal_entries").asInt() > 1) {
      left.add(
          metrics.path("slave/journal_entries").asInt()
              + " entries in the journal of "
              + agent.name);
    }
  }

  /** Plants what the look at the machine has to find: it could not prove anything else. */
  List<AutoCloseable> plant() throws IOException {
    List<AutoCloseable> planted = new ArrayList<>();
    Daemon agent = agents.get(0);
    ProcessBuilder stray = new ProcessBuilder("sleep", "1000");
    stray.environment().put("MESOS_SANDBOX", folder.resolve("stray").toString());
    Process process = stray.start();
    planted.add(process::destroyForcibly);
    Path container = agent.runtime().resolve("containers/stray");
    Files.createDirectories(container);
    planted.add(() -> Files.delete(container));
    return planted;
  }

  /** Ends everything, also what should not be there any more. */
  @Override
  public void close() throws Exception {
    for (Daemon daemon : Stream.concat(agents.stream(), masters.stream()).toList()) {
      if (daemon.process != null) {
        daemon.process.close();
      }
    }
    for (Processes.One one : Processes.all()) {
      if (launcher(one) || Processes.environment(one.pid()).contains("MESOS_SANDBOX=" + folder)) {
        Processes.kill(one.pid(), one.started());
      }
    }
    zooKeeper.close();
    for (Daemon agent : agents) {
      for (String hierarchy : List.of("memory", "cpu", "cpuacct", "freezer", "unified", ".")) {
        Path root = HIERARCHY.resolve(hierarchy).resolve(agent.cgroups());
        if (Files.isDirectory(root)) {
          removeCgroups(root);
        }
      }
    }
  }

  private static void removeCgroups(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path each : all.filter(Files::isDirectory).sorted(Collections.reverseOrder()).toList()) {
        Await.until("the cgroup is empty", () -> each.toFile().delete());
      }
    }
  }
}
