package org.mezzo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.mezzo.files.OwnFolder;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.FlagSources;
import org.mezzo.host.Host;
import org.mezzo.host.HostException;

/** ZooKeeper, a master and agents in this process, each on a loopback port of its own. */
final class LocalCluster implements AutoCloseable {
  private static final int FIRST_TASK_PORT = 31_000;
  private static final int LAST_TASK_PORT = 32_000;
  private static final String PATH = "/mezzo";
  private static final String BACKOFF = "registration_backoff_factor";

  private final Home home;
  private final Places places;
  private final Path workDir;
  private final FlagDefinitions masterDefinitions;
  private final FlagDefinitions agentDefinitions;
  private final Map<String, String> masterFlags;
  private final List<Map<String, String>> agentFlags = new ArrayList<>();
  private final int zooKeeperPort;
  private Optional<Path> log = Optional.empty();
  private Host host;

  private LocalCluster(
      Home home,
      Path workDir,
      Places places,
      FlagDefinitions masterDefinitions,
      FlagDefinitions agentDefinitions,
      Map<String, String> masterFlags,
      int zooKeeperPort) {
    this.home = home;
    this.workDir = workDir;
    this.places = places;
    this.masterDefinitions = masterDefinitions;
    this.agentDefinitions = agentDefinitions;
    this.masterFlags = masterFlags;
    this.zooKeeperPort = zooKeeperPort;
  }

  /**
   * Chooses ports, folders and resources.
   *
   * @param port of the master; the agents get the next free ones; 0 for any
   * @param arguments flags for those daemons that know them
   */
  static LocalCluster plan(
      Home home, Path workDir, Places places, int port, int agents, List<String> arguments)
      throws FlagException, IOException {
    FlagDefinitions masters = home.definitions(Role.MASTER);
    FlagDefinitions agentsDefinitions = home.definitions(Role.AGENT);
    List<String> forMaster = new ArrayList<>();
    List<String> forAgents = new ArrayList<>();
    for (String argument : arguments) {
      String name = argument.replaceFirst("^--(no-)?", "").replaceFirst("=.*", "");
      boolean known = masters.find(name).isPresent();
      if (known || agentsDefinitions.find(name).isEmpty()) {
        forMaster.add(argument);
      }
      if (agentsDefinitions.find(name).isPresent()) {
        forAgents.add(argument);
      }
    }
    Map<String, String> master =
        new TreeMap<>(new FlagSources(masters).commandLine(forMaster).given());
    Map<String, String> agent =
        new TreeMap<>(new FlagSources(agentsDefinitions).commandLine(forAgents).given());
    for (String own : List.of("zk", "master", "port", "work_dir", "runtime_dir")) {
      if (master.containsKey(own) || agent.containsKey(own)) {
        throw new FlagException(
            "flag --"
                + own
                + ": in a local cluster every daemon has its own; run mezzo master"
                + " and mezzo agent to choose it");
      }
    }

    Set<Integer> taken = new HashSet<>();
    String ip = master.getOrDefault("ip", "127.0.0.1");
    int masterPort = port == 0 ? freePort(ip, taken) : port;
    taken.add(masterPort);
    int zooKeeperPort = freePort("127.0.0.1", taken);
    String zk = "zk://127.0.0.1:" + zooKeeperPort + PATH;
    master.put("port", Integer.toString(masterPort));
    master.put("zk", zk);
    master.put("work_dir", workDir.resolve("master").toString());
    LocalCluster cluster =
        new LocalCluster(home, workDir, places, masters, agentsDefinitions, master, zooKeeperPort);
    Path runtime =
        places.runtime().resolve("local-" + Integer.toHexString(workDir.toString().hashCode()));
    int next = masterPort + 1;
    for (int i = 1; i <= agents; i++) {
      int agentPort;
      if (port == 0) {
        agentPort = freePort(ip, taken);
      } else {
        agentPort = nextFreePort(ip, next, taken);
        next = agentPort + 1;
      }
      Map<String, String> flags = new TreeMap<>(agent);
      // There is no herd of agents to keep apart.
      if (agentsDefinitions.find(BACKOFF).isPresent()) {
        flags.putIfAbsent(BACKOFF, "50ms");
      }
      flags.put("port", Integer.toString(agentPort));
      flags.put("master", zk);
      flags.put("work_dir", workDir.resolve("agent-" + i).toString());
      flags.put("runtime_dir", runtime.resolve("agent-" + i).toString());
      if (agents > 1) {
        flags.putIfAbsent("resources", share(i, agents, workDir));
      }
      cluster.agentFlags.add(flags);
    }
    return cluster;
  }

  /** Sets the process's log up as the master's flags say. */
  void log() throws FlagException {
    log = Boot.log(masterDefinitions.parse(masterFlags), "mezzo-local");
  }

  /**
   * Boots it; the daemons find each other on their own time.
   *
   * @param stopWithProcess whether SIGTERM and SIGINT stop it in order; otherwise the caller does
   * @throws HostException when it does not start
   */
  LocalCluster start(ShellOptions shell, boolean stopWithProcess)
      throws HostException, FlagException, IOException {
    int port = Integer.parseInt(masterFlags.get("port"));
    String ip = masterFlags.getOrDefault("ip", "127.0.0.1");
    if (!free(ip, port)) {
      throw new HostException(
          "Port "
              + port
              + " of "
              + ip
              + " is in use: choose another one with --port=PORT, or any"
              + " with --port=0");
    }
    try {
      OwnFolder.open(workDir, "Or choose another folder with --work_dir");
    } catch (FileSystemException e) {
      throw new HostException(e.getMessage(), e);
    }
    Boot boot = new Boot(home, places.runtime(), workDir.resolve("deployment"));
    boot.showing(log);
    boot.zooKeeper(workDir.resolve("zookeeper"), zooKeeperPort);
    boot.daemon(Role.MASTER, "master", masterDefinitions, masterFlags);
    for (int i = 0; i < agentFlags.size(); i++) {
      boot.daemon(Role.AGENT, "agent-" + (i + 1), agentDefinitions, agentFlags.get(i));
    }
    shell.addTo(boot);
    host = boot.start(stopWithProcess);
    return this;
  }

  /**
   * Waits until the master leads and knows all agents.
   *
   * @param progress told now and then what is waited for
   * @throws HostException when that takes too long, or the host stops
   */
  void awaitReady(Duration limit, Consumer<String> progress)
      throws HostException, InterruptedException {
    long begin = System.nanoTime();
    long told = begin;
    while (true) {
      int registered = registered();
      if (registered >= agentFlags.size()) {
        return;
      }
      long now = System.nanoTime();
      String state =
          registered < 0
              ? "the master does not answer at " + masterUrl() + " yet"
              : registered + " of " + agentFlags.size() + " agents are registered";
      if (host.stopping()) {
        host.awaitStop();
        throw new HostException("The cluster stopped before it was up");
      }
      if (now - begin > limit.toNanos()) {
        List<String> failures = host.componentFailures();
        throw new HostException(
            "After "
                + limit.toSeconds()
                + " s "
                + state
                + (failures.isEmpty() ? "" : ":\n" + String.join("\n", failures)));
      }
      if (now - told > Duration.ofSeconds(5).toNanos()) {
        told = now;
        progress.accept("Waiting: " + state);
      }
      Thread.sleep(20);
    }
  }

  Host host() {
    return host;
  }

  String masterAddress() {
    return address(masterFlags);
  }

  String masterUrl() {
    return "http://" + masterAddress();
  }

  List<String> agentUrls() {
    return agentFlags.stream().map(flags -> "http://" + address(flags)).toList();
  }

  String zooKeeperUrl() {
    return masterFlags.get("zk");
  }

  @Override
  public void close() {
    if (host != null) {
      host.close();
    }
  }

  private static String address(Map<String, String> flags) {
    String ip = flags.getOrDefault("ip", "127.0.0.1");
    return (ip.equals("0.0.0.0") ? "127.0.0.1" : ip) + ":" + flags.get("port");
  }

  /** How many agents the master knows, or -1 when it does not answer. */
  private int registered() {
    try {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create(masterUrl() + "/slaves").toURL().openConnection();
      connection.setConnectTimeout(1000);
      connection.setReadTimeout(5000);
      connection.setInstanceFollowRedirects(false);
      if (connection.getResponseCode() == 401) {
        // Guarded by credentials that only the operator has: an answer is all there is to see.
        return agentFlags.size();
      }
      if (connection.getResponseCode() != 200) {
        return -1;
      }
      try (InputStream body = connection.getInputStream();
          JsonParser parser = new JsonFactory().createParser(body)) {
        return activeAgents(parser);
      }
    } catch (IOException e) {
      return -1;
    }
  }

  static int activeAgents(JsonParser parser) throws IOException {
    int active = 0;
    int depth = 0;
    for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
      if (token.isStructStart()) {
        depth++;
      } else if (token.isStructEnd()) {
        depth--;
      } else if (token == JsonToken.FIELD_NAME
          && depth == 3
          && parser.currentName().equals("active")) {
        if (parser.nextToken() == JsonToken.VALUE_TRUE) {
          active++;
        }
      }
    }
    return active;
  }

  /** The part of the machine that one of several agents reports: nothing is promised twice. */
  static String share(int agent, int agents, Path workDir) throws IOException {
    OperatingSystemMXBean machine =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long memory = remainder(machine.getTotalMemorySize() >> 20, 1024) / agents;
    Path existing = workDir;
    while (!Files.exists(existing)) {
      existing = existing.getParent();
    }
    long disk = remainder(Files.getFileStore(existing).getTotalSpace() >> 20, 5 * 1024) / agents;
    long milliCpus = Runtime.getRuntime().availableProcessors() * 1000L / agents;
    int ports = (LAST_TASK_PORT - FIRST_TASK_PORT + 1) / agents;
    int first = FIRST_TASK_PORT + (agent - 1) * ports;
    return "cpus:"
        + milliCpus / 1000
        + "."
        + String.format("%03d", milliCpus % 1000)
        + ";mem:"
        + memory
        + ";disk:"
        + disk
        + ";ports:["
        + first
        + "-"
        + (first + ports - 1)
        + "]";
  }

  /**
   * What is left when the system gets its due: all but {@code due}, or half when that is little.
   */
  private static long remainder(long total, long due) {
    return total < 2 * due ? total / 2 : total - due;
  }

  private static boolean free(String ip, int port) throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getByName(ip), port));
      return true;
    } catch (BindException e) {
      return false;
    }
  }

  private static int nextFreePort(String ip, int from, Set<Integer> taken) throws IOException {
    for (int port = from; port <= 65_535; port++) {
      if (!taken.contains(port) && free(ip, port)) {
        taken.add(port);
        return port;
      }
    }
    return freePort(ip, taken);
  }

  private static int freePort(String ip, Set<Integer> taken) throws IOException {
    while (true) {
      try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(ip))) {
        if (taken.add(socket.getLocalPort())) {
          return socket.getLocalPort();
        }
      }
    }
  }
}
