package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.examples.allocator.RoundRobinAllocator;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.held.HeldAllocator;
import org.mezzo.itests.held.HeldIsolator;
import org.mezzo.itests.held.Hold;
import org.mezzo.itests.held.Hold.Step;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * A daemon that is killed in the middle of a swap of a module that has state of it, an agent's
 * isolator or a master's allocator, and started again. One version serves then, which is the one
 * that the journal names, and what the other one had of tasks is nowhere left.
 */
class KilledSwapIT {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final String NAME = "org.mezzo.itests.held";
  private static final String MODULE = "held";
  private static final String OLD = "1.0.0";
  private static final String NEW = "2.0.0";
  private static final int TASKS = 3;
  private static final Set<String> TERMINAL =
      Set.of("TASK_FAILED", "TASK_KILLED", "TASK_GONE", "TASK_DROPPED", "TASK_ERROR");
  private static final String CGROUPS_ROOT = "mezzo-it-killed-" + ProcessHandle.current().pid();
  private static final boolean CGROUPS =
      Files.isWritable(Path.of("/sys/fs/cgroup/memory/cgroup.procs"))
          || Files.isWritable(Path.of("/sys/fs/cgroup/cgroup.subtree_control"));

  /** Where the swap is when the daemon is killed, and who serves afterwards. */
  private enum Stage {
    REHEARSES(Step.NONE, Step.REHEARSED, OLD),
    OPENS(Step.NONE, Step.OPENED, OLD),
    /** New calls wait until a call of the old one has ended. */
    WAITS_FOR_A_CALL(Step.CALLED, Step.NONE, OLD),
    /** Calls wait, too. */
    TAKES_OVER(Step.NONE, Step.TAKING_OVER, OLD),
    HAS_TAKEN_OVER(Step.NONE, Step.NONE, NEW);

    private final Step old;
    private final Step candidate;
    private final String survivor;

    Stage(Step old, Step candidate, String survivor) {
      this.old = old;
      this.candidate = candidate;
      this.survivor = survivor;
    }
  }

  /**
   * All take minutes; without {@code -Pswaps} these are the last moment of before, and the first of
   * after.
   */
  static List<Stage> stages() {
    return Boolean.getBoolean("mezzo.killed.stages")
        ? List.of(Stage.values())
        : List.of(Stage.TAKES_OVER, Stage.HAS_TAKEN_OVER);
  }

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Set<String> accepted = new HashSet<>();
  private Path hold;
  private Distribution distribution;
  private URI master;
  private URI agent;
  private MezzoProcess victim;

  @BeforeEach
  void prepare() throws IOException {
    hold = folder.resolve("hold");
    distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    master = URI.create("http://127.0.0.1:" + Distribution.freePort());
    agent = URI.create("http://127.0.0.1:" + Distribution.freePort());
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    for (String hierarchy : List.of("memory", "cpu", "cpuacct", "freezer", "unified", ".")) {
      assertThat(Path.of("/sys/fs/cgroup", hierarchy, CGROUPS_ROOT))
          .as("cgroups that the agent leaves behind")
          .doesNotExist();
    }
  }

  private MezzoProcess startMaster(Distribution of, String... flags) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of("master", "--port=" + master.getPort(), "--work_dir=" + folder.resolve("m")));
    arguments.addAll(List.of(flags));
    MezzoProcess process =
        MezzoProcess.start(of, folder.resolve("logs"), arguments.toArray(String[]::new));
    open.add(process);
    await("the master answers", () -> Http.get(master.resolve("/health")).status() == 200);
    return process;
  }

  private MezzoProcess startAgent(Distribution of, String... flags) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "agent",
                "--master=127.0.0.1:" + master.getPort(),
                "--port=" + agent.getPort(),
                "--resources=cpus:4;mem:2048",
                "--runtime_dir=" + folder.resolve("run"),
                "--work_dir=" + folder.resolve("a")));
    arguments.addAll(List.of(flags));
    MezzoProcess process =
        MezzoProcess.start(of, folder.resolve("logs"), arguments.toArray(String[]::new));
    open.add(process);
    await("the agent answers", () -> Http.get(agent.resolve("/health")).status() == 200);
    return process;
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private void await(String what, Condition condition) {
    try {
      Await.until(what, PATIENCE, condition::holds);
    } catch (AssertionError e) {
      String log = victim == null ? "" : "\n" + victim.stderr();
      throw new AssertionError(e.getMessage() + log, e);
    }
  }

  private ModuleBundle bundle(String version, Step step) throws IOException {
    return ModuleBundle.of(NAME, version)
        .with(Hold.class)
        .with(Step.class)
        .with(Hold.FILE, step.text(version, hold));
  }

  private ModuleBundle isolator(String version, Step step) throws IOException {
    return bundle(version, step)
        .header("Import-Package", "org.mezzo.api,org.mezzo.api.isolator")
        .module(HeldIsolator.class, Isolator.class, Isolator.KIND, MODULE);
  }

  private ModuleBundle allocator(String version, Step step) throws IOException {
    ModuleBundle bundle =
        bundle(version, step)
            .header(
                "Import-Package",
                "org.mezzo.api,org.mezzo.api.allocator,org.mezzo.resources,org.mezzo.protocol.v1,"
                    + "com.google.protobuf")
            .with(RoundRobinAllocator.class)
            .module(HeldAllocator.class, Allocator.class, Allocator.KIND, MODULE);
    for (Class<?> inner : RoundRobinAllocator.class.getDeclaredClasses()) {
      bundle.with(inner);
    }
    return bundle;
  }

  /** Puts a bundle into the folder; returns its digest. */
  private String drop(ModuleBundle bundle, String version) throws IOException {
    Path built = bundle.build(folder.resolve("built.jar"));
    String digest = BundleStore.digest(built);
    Files.move(
        built,
        distribution.modules().resolve("held-" + version + ".jar"),
        StandardCopyOption.ATOMIC_MOVE);
    return digest;
  }

  /** The versions whose module a daemon calls. */
  private static Set<String> serving(URI daemon) throws IOException {
    Set<String> serving = new TreeSet<>();
    for (JsonNode module : Http.get(daemon.resolve("/mezzo/modules")).json().path("modules")) {
      if (module.path("name").asText().equals(MODULE) && !module.path("daemons").isEmpty()) {
        serving.add(module.at("/bundle/version").asText());
      }
    }
    return serving;
  }

  private void awaitServing(URI daemon, String version) {
    await(version + " serves", () -> serving(daemon).equals(Set.of(version)));
  }

  /** What is installed of the bundle, with version and state. */
  private static List<String> installed(URI daemon) throws IOException {
    List<String> installed = new ArrayList<>();
    for (JsonNode it : Http.get(daemon.resolve("/mezzo/deployments")).json().path("deployments")) {
      if (it.path("name").asText().equals(NAME) && it.has("bundle_id")) {
        installed.add(it.path("version").asText() + " " + it.path("state").asText());
      }
    }
    return installed;
  }

  private static List<String> verdicts(URI daemon) throws IOException {
    List<String> verdicts = new ArrayList<>();
    for (JsonNode it : Http.get(daemon.resolve("/mezzo/deployments")).json().path("verdicts")) {
      verdicts.add(it.path("version").asText() + " " + it.path("verdict").asText());
    }
    return verdicts;
  }

  private static String journal(Path workDir) throws IOException {
    return Files.readString(workDir.resolve("deployment").resolve("journal"));
  }

  /** Whether the process may end of something, as far as the journal says. */
  private static boolean triesNothing(Path workDir) throws IOException {
    Set<String> tried = new HashSet<>();
    for (String line : journal(workDir).split("\n")) {
      String[] fields = line.split("\t");
      switch (fields[1]) {
        case "STARTING", "OPENING", "REHEARSING" -> tried.add(fields[2]);
        case "SURVIVED", "ENDED_WITH" -> tried.remove(fields[2]);
        default -> {}
      }
    }
    return tried.isEmpty();
  }

  /** Begins the swap and waits until it is where it is to be killed. */
  private void swap(Stage stage, ModuleBundle candidate, URI daemon, Path workDir)
      throws IOException {
    String digest = drop(candidate, NEW);
    switch (stage) {
      case WAITS_FOR_A_CALL ->
          await(
              "the candidate waits to take over",
              () -> {
                String journal = journal(workDir);
                return journal.contains("\tOPENING\t" + digest)
                    && journal.contains("started and rehearsed");
              });
      case HAS_TAKEN_OVER -> {
        awaitServing(daemon, NEW);
        await("nothing is being tried", () -> triesNothing(workDir));
      }
      default -> {
        String word = stage.candidate.word(NEW);
        await(word, () -> victim.stderr().contains(word));
      }
    }
  }

  /** What runs is one version, which the ledger names, and what is said of the other one. */
  private void checkLedger(Stage stage, URI daemon) throws IOException {
    awaitServing(daemon, stage.survivor);
    await(
        "the ledger says so", () -> installed(daemon).equals(List.of(stage.survivor + " active")));
    assertThat(verdicts(daemon))
        .isEqualTo(stage.survivor.equals(NEW) ? List.of() : List.of(NEW + " skipped"));
  }

  /** What a framework knows of its tasks; acknowledges what it is told. */
  private static final class Told {
    private final TestFramework framework;
    private final Map<String, String> states = new TreeMap<>();
    private int seen;

    Told(TestFramework framework) {
      this.framework = framework;
    }

    Map<String, String> states() throws IOException {
      List<JsonNode> events = framework.events();
      for (; seen < events.size(); seen++) {
        JsonNode status = events.get(seen).at("/update/status");
        if (events.get(seen).path("type").asText().equals("UPDATE")) {
          framework.acknowledge(status);
          states.put(status.at("/task_id/value").asText(), status.path("state").asText());
        }
      }
      return states;
    }
  }

  /**
   * The latest offer; none that was rescinded since, as those of before a kill are. What the
   * framework leaves of it is for others: one that keeps offers would starve them.
   */
  private JsonNode offer(TestFramework framework) throws IOException {
    List<JsonNode> latest = new ArrayList<>();
    framework.send(framework.call("REVIVE"));
    await(
        "an offer",
        () -> {
          latest.clear();
          for (JsonNode event : framework.events()) {
            event.at("/offers/offers").forEach(latest::add);
            JsonNode rescinded = event.at("/rescind/offer_id");
            latest.removeIf(it -> it.path("id").equals(rescinded));
          }
          latest.removeIf(it -> accepted.contains(it.at("/id/value").asText()));
          return !latest.isEmpty();
        });
    JsonNode offer = latest.get(latest.size() - 1);
    accepted.add(offer.at("/id/value").asText());
    framework.send(framework.call("SUPPRESS"));
    return offer;
  }

  private static List<String> children(Path directory) throws IOException {
    List<String> children = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
        entries.forEach(entry -> children.add(entry.toString()));
      }
    }
    return children;
  }

  /** What is there of containers: marks, folders, cgroups, processes. */
  private List<String> leftovers(String command) throws IOException {
    List<String> left = new ArrayList<>();
    left.addAll(children(folder.resolve("run").resolve(HeldIsolator.MARKS)));
    left.addAll(children(folder.resolve("run").resolve("containers")));
    for (String hierarchy : List.of("memory", "cpu", "cpuacct", "freezer", "unified", ".")) {
      children(Path.of("/sys/fs/cgroup", hierarchy, CGROUPS_ROOT)).stream()
          .filter(child -> Files.isDirectory(Path.of(child)))
          .forEach(left::add);
    }
    try (Stream<ProcessHandle> processes = ProcessHandle.allProcesses()) {
      processes
          .map(process -> process.info().commandLine().orElse(""))
          .filter(line -> line.contains(command))
          .forEach(left::add);
    }
    return left;
  }

  private MezzoProcess startVictimAgent() throws IOException {
    victim =
        startAgent(
            distribution,
            "--isolation="
                + MODULE
                + (CGROUPS ? ",cgroups/cpu,cgroups/mem" : "")
                + ",network/addresses",
            "--cgroups_root=" + CGROUPS_ROOT);
    return victim;
  }

  /**
   * Tasks of a framework with {@code checkpoint} do not notice, those of others end (rule 176), and
   * whoever serves afterwards knows of the first and cleans up after all.
   */
  @ParameterizedTest
  @MethodSource("stages")
  void anAgentThatIsKilledInASwapOfItsIsolatorLosesAndLeavesNothing(Stage stage) throws Exception {
    startMaster(Distribution.built());
    drop(isolator(OLD, stage.old), OLD);
    startVictimAgent();
    awaitServing(agent, OLD);
    await("nothing is being tried", () -> triesNothing(folder.resolve("a")));
    String mark = "1" + ProcessHandle.current().pid() + stage.ordinal();
    String kept = "sleep 1" + mark;
    String ending = "sleep 2" + mark;
    TestFramework framework = framework("kept", true);
    Told told = new Told(framework);
    List<String> tasks = IntStream.range(0, TASKS).mapToObj(i -> "task-" + i).toList();
    framework.launch(offer(framework), tasks, "exec " + kept);
    Map<String, String> running =
        tasks.stream().collect(Collectors.toMap(task -> task, task -> "TASK_RUNNING"));
    await("tasks run", () -> told.states().equals(running));
    TestFramework other = framework("ending", false);
    Told toldOther = new Told(other);
    other.launch(offer(other), List.of("other"), "exec " + ending);
    await("the other runs", () -> "TASK_RUNNING".equals(toldOther.states().get("other")));
    // A task runs from when it is let go; it becomes its program a moment later.
    await("their programs run", () -> processes(kept).size() >= TASKS);
    Set<Long> processes = processes(kept);

    if (stage == Stage.WAITS_FOR_A_CALL) {
      Files.createFile(hold);
      framework.launch(offer(framework), "late", "exec " + kept);
      String word = Step.CALLED.word(OLD);
      await(word, () -> victim.stderr().contains(word));
      swap(stage, isolator(NEW, stage.candidate), agent, folder.resolve("a"));
    } else {
      swap(stage, isolator(NEW, stage.candidate), agent, folder.resolve("a"));
      framework.launch(offer(framework), "late", "exec " + kept);
      if (stage != Stage.TAKES_OVER) {
        await("it runs", () -> "TASK_RUNNING".equals(told.states().get("late")));
      }
    }
    victim.killAlone();
    victim.await(PATIENCE);
    Files.deleteIfExists(hold);
    assertThat(processes(ending)).as("what the kill has left").isNotEmpty();

    startVictimAgent();
    checkLedger(stage, agent);
    await("the other is lost", () -> "TASK_LOST".equals(toldOther.states().get("other")));
    await("nothing of it runs", () -> processes(ending).isEmpty());
    await(
        "what was being launched runs, or has ended",
        () ->
            "TASK_RUNNING".equals(told.states().get("late"))
                || TERMINAL.contains(told.states().getOrDefault("late", "")));
    assertThat(told.states()).containsAllEntriesOf(running);
    assertThat(processes(kept)).containsAll(processes);

    for (Map.Entry<String, String> state : Map.copyOf(told.states()).entrySet()) {
      if (!TERMINAL.contains(state.getValue())) {
        ObjectNode kill = framework.call("KILL");
        kill.putObject("kill").putObject("task_id").put("value", state.getKey());
        framework.send(kill);
      }
    }
    await(
        "every task has ended",
        () -> told.states().size() == TASKS + 1 && TERMINAL.containsAll(told.states().values()));
    await("nothing of them is left", () -> leftovers(kept).isEmpty());

    String check = "test \"$" + HeldIsolator.VARIABLE + "\" = " + stage.survivor;
    framework.launch(offer(framework), List.of("after-1", "after-2"), check);
    await(
        "what is launched afterwards runs with the one that serves",
        () ->
            TERMINAL.contains(told.states().getOrDefault("after-1", ""))
                || "TASK_FINISHED".equals(told.states().get("after-1"))
                    && "TASK_FINISHED".equals(told.states().get("after-2")));
    assertThat(told.states()).containsEntry("after-1", "TASK_FINISHED");
    await("nothing of those is left", () -> leftovers(check).isEmpty());
    await("the master has them all ended", () -> tasksOfMaster() == 0);
    framework.teardown();
    other.teardown();
  }

  private TestFramework framework(String name, boolean checkpoint) throws IOException {
    TestFramework framework =
        TestFramework.subscribe(
            master,
            """
            {"user":"%s","name":"%s","roles":["%s"],"failover_timeout":600.0,"checkpoint":%s,
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
            """
                .formatted(System.getProperty("user.name"), name, name, checkpoint));
    open.add(framework);
    return framework;
  }

  /** The processes of a command, the shims of its containers apart. */
  private static Set<Long> processes(String command) {
    try (Stream<ProcessHandle> processes = ProcessHandle.allProcesses()) {
      return processes
          .filter(process -> process.info().commandLine().orElse("").endsWith(command))
          .map(ProcessHandle::pid)
          .collect(Collectors.toSet());
    }
  }

  private int tasksOfMaster() throws IOException {
    int tasks = 0;
    for (JsonNode each : Http.get(master.resolve("/state")).json().path("frameworks")) {
      tasks += each.path("tasks").size();
    }
    return tasks;
  }

  private MezzoProcess startVictimMaster() throws IOException {
    victim = startMaster(distribution, "--allocator=" + MODULE, "--allocation_interval=100ms");
    return victim;
  }

  /** What an agent has given away, of all that it has. */
  private void checkAccounts() throws IOException {
    for (JsonNode each : Http.get(master.resolve("/slaves")).json().path("slaves")) {
      for (String name : List.of("cpus", "mem")) {
        double given =
            each.path("used_resources").path(name).asDouble()
                + each.path("offered_resources").path(name).asDouble();
        assertThat(given)
            .as(name + " of " + each)
            .isLessThanOrEqualTo(each.path("resources").path(name).asDouble() + 0.0005);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("stages")
  void aMasterThatIsKilledInASwapOfItsAllocatorLosesNoTask(Stage stage) throws Exception {
    drop(allocator(OLD, stage.old), OLD);
    startVictimMaster();
    awaitServing(master, OLD);
    await("nothing is being tried", () -> triesNothing(folder.resolve("m")));
    startAgent(Distribution.built());
    FollowingFramework framework = new FollowingFramework(List.of(master), Map.of(), "", 2);
    open.add(framework);
    framework.awaitSteady();
    framework.awaitTasks(1);

    if (stage == Stage.WAITS_FOR_A_CALL) {
      Files.createFile(hold);
      String word = Step.CALLED.word(OLD);
      await(word, () -> victim.stderr().contains(word));
    }
    swap(stage, allocator(NEW, stage.candidate), master, folder.resolve("m"));
    victim.kill();
    victim.await(PATIENCE);
    Files.deleteIfExists(hold);

    startVictimMaster();
    checkLedger(stage, master);
    framework.awaitSubscriptions(2);
    framework.awaitTasks(3);
    checkAccounts();
    framework.drain();
    assertThat(framework.failures()).isEmpty();
  }
}
