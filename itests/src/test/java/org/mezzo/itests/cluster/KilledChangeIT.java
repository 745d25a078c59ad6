package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mezzo.api.hook.Hook;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.hooks.HoldingGuest;
import org.mezzo.itests.hooks.HoldingGuest.Step;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * A master that is killed while a change of its modules is under way, at each stage of each kind of
 * change, and started again. What runs then is what its folder and its ledger say, and neither the
 * framework nor its tasks, which are another process's, have come to harm.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KilledChangeIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String NAME = "org.mezzo.itests.guest";
  private static final String ALLOCATOR = "mezzo-allocator-drf";
  private static final String GUEST = "guest";
  private static final String LATE = "late";
  private static final long LONG_TRIAL = 600_000;

  /** Which content of the name runs after the kill. */
  private enum Survivor {
    FORMER,
    CANDIDATE,
    NONE
  }

  /** Where the change is when the process is killed. */
  private enum Stage {
    SWAP_REHEARSES("installed beside", Survivor.FORMER),
    SWAP_OPENS("started and rehearsed", Survivor.FORMER),
    SWAP_HAS_TAKEN_OVER("passed its probation", Survivor.CANDIDATE),
    UPDATE_STOPS("staged as", Survivor.CANDIDATE),
    UPDATE_STARTS("drained and stopped", Survivor.FORMER),
    INSTALLATION_REHEARSES("started", Survivor.NONE),
    INSTALLATION_OPENS("rehearsed", Survivor.NONE),
    REMOVAL("", Survivor.NONE);

    private final String last;
    private final Survivor survivor;

    Stage(String last, Survivor survivor) {
      this.last = last;
      this.survivor = survivor;
    }
  }

  @TempDir static Path folder;
  private Distribution distribution;
  private Path modules;
  private Set<String> shipped;
  private MezzoProcess master;
  private MezzoProcess agent;
  private URI uri;
  private FollowingFramework framework;
  private String proven = "";

  /** What served when the stage before was over; a rollback goes back to it. */
  private String servedBefore = "";

  private int number;
  private int kills;

  @BeforeAll
  void start() throws Exception {
    distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    modules = distribution.modules();
    for (String jar : jars()) {
      // What nobody uses could be what ends the process, too, for ten seconds.
      if (!jar.startsWith(ALLOCATOR)
          && !jar.startsWith("mezzo-contenders")
          && !jar.startsWith("mezzo-detectors")) {
        Files.delete(modules.resolve(jar));
      }
    }
    shipped = Set.copyOf(jars());
    int port = Distribution.freePort();
    uri = URI.create("http://127.0.0.1:" + port);
    startMaster();
    agent =
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "agent",
            "--master=127.0.0.1:" + port,
            "--port=" + Distribution.freePort(),
            "--resources=cpus:2;mem:1024",
            "--runtime_dir=" + folder.resolve("run"),
            "--work_dir=" + folder.resolve("agent"));
    framework = new FollowingFramework(List.of(uri), Map.of(), "", 2);
    framework.awaitSteady();
  }

  private void startMaster() throws IOException {
    master =
        MezzoProcess.start(
            distribution,
            folder.resolve("logs"),
            "master",
            "--port=" + uri.getPort(),
            "--work_dir=" + folder.resolve("master"),
            "--hooks=" + GUEST + "," + LATE);
    await("the master answers", () -> Http.get(uri.resolve("/health")).status() == 200);
  }

  @AfterAll
  void stop() throws Exception {
    if (framework != null) {
      framework.close();
    }
    for (MezzoProcess process : new MezzoProcess[] {agent, master}) {
      if (process != null) {
        process.close();
      }
    }
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private void await(String what, Condition condition) {
    try {
      Await.until(what, PATIENCE, condition::holds);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + master.stderr(), e);
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private List<String> jars() throws IOException {
    return names(modules);
  }

  private List<String> kept() throws IOException {
    return names(state().resolve("bundles"));
  }

  private String verdict(String digest) throws IOException {
    return list(deployment().path("verdicts")).stream()
        .filter(passed -> passed.path("digest").asText().equals(digest))
        .map(passed -> passed.path("verdict").asText() + ": " + passed.path("reason").asText())
        .findFirst()
        .orElse("");
  }

  private Path state() {
    return folder.resolve("master").resolve("deployment");
  }

  private String journal() throws IOException {
    return Files.readString(state().resolve("journal"));
  }

  /** Digests of what the process may end of, as far as the journal says. */
  private Set<String> tried() throws IOException {
    Set<String> tried = new HashSet<>();
    for (String line : journal().split("\n")) {
      String[] fields = line.split("\t");
      switch (fields[1]) {
        case "STARTING", "OPENING" -> tried.add(fields[2]);
        case "SURVIVED", "ENDED_WITH" -> tried.remove(fields[2]);
        default -> {}
      }
    }
    return tried;
  }

  /** The version of a guest, held up at a step. */
  private static ModuleBundle guest(String name, String version, Step step, long trialMillis)
      throws IOException {
    return ModuleBundle.of(NAME + "." + name, version)
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1,org.osgi.framework,"
                + "org.osgi.service.cm")
        .header("Bundle-Activator", HoldingGuest.class.getName())
        .with(Step.class)
        .with(HoldingGuest.FILE, step.text(trialMillis))
        .module(HoldingGuest.class, Hook.class, Hook.KIND, name);
  }

  /**
   * Puts a bundle into the folder.
   *
   * @return its digest
   */
  private String drop(ModuleBundle bundle, String file) throws IOException {
    Path built = bundle.build(folder.resolve("built.jar"));
    String digest = BundleStore.digest(built);
    Files.move(
        built,
        modules.resolve(file),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    return digest;
  }

  /** Deletes what other tests have left, which is not what runs. */
  private void deleteOthers(String file) throws IOException {
    for (String jar : jars()) {
      if (!shipped.contains(jar) && !jar.equals(file)) {
        Files.delete(modules.resolve(jar));
      }
    }
  }

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  private JsonNode deployment() throws IOException {
    return Http.get(uri.resolve("/mezzo/deployments")).json();
  }

  /** The latest change in whose middle a process was killed. */
  private Optional<JsonNode> change() throws IOException {
    return list(deployment().path("history")).stream()
        .filter(it -> it.path("outcome").asText().contains("what runs now is what "))
        .findFirst();
  }

  /** Version and file of what is installed of a guest and active; empty when nothing is. */
  private Optional<String> installed(String name) throws IOException {
    return list(deployment().path("deployments")).stream()
        .filter(it -> it.path("name").asText().equals(NAME + "." + name) && it.has("bundle_id"))
        .map(
            it ->
                String.join(
                    " ",
                    it.path("version").asText(),
                    it.path("file").asText(),
                    it.path("state").asText()))
        .findFirst();
  }

  /** The version that the master calls; empty when it calls none. */
  private String serving(String name) throws IOException {
    for (JsonNode module : Http.get(uri.resolve("/mezzo/modules")).json().path("modules")) {
      if (module.path("name").asText().equals(name) && !module.path("daemons").isEmpty()) {
        return module.at("/bundle/version").asText();
      }
    }
    return "";
  }

  /** Drops a guest that serves, and waits until it has outlived being tried. */
  private String serve(String version, String file, Step step, long trialMillis)
      throws IOException {
    String digest = drop(guest(GUEST, version, step, trialMillis), file);
    await(version + " serves", () -> serving(GUEST).equals(version));
    await("nothing is being tried", () -> tried().isEmpty());
    await(version + " is there", () -> installed(GUEST).isPresent());
    return digest;
  }

  @ParameterizedTest
  @EnumSource(Stage.class)
  void afterAKillWhatRunsIsWhatTheLedgerSays(Stage stage) throws Exception {
    String former = ++number + ".0.0";
    String candidate = stage.name().startsWith("UPDATE") ? former : ++number + ".0.0";
    String formerFile = "former-" + former + ".jar";
    String candidateFile =
        stage == Stage.UPDATE_STARTS ? formerFile : "candidate-" + number + ".jar";
    String name = stage.name().startsWith("INSTALLATION") ? LATE : GUEST;
    boolean oldHolds = stage == Stage.UPDATE_STOPS || stage == Stage.REMOVAL;

    String formerDigest =
        serve(former, formerFile, oldHolds ? Step.STOPPED : Step.NONE, LONG_TRIAL);
    deleteOthers(formerFile);
    String candidateDigest = "";
    String holding = former;
    Step step = Step.STOPPED;
    switch (stage) {
      case SWAP_HAS_TAKEN_OVER -> {
        // What has proven itself takes over for good, so that the one before is stopped at once.
        candidateDigest = serve(candidate, candidateFile, Step.NONE, 1);
        proven = candidateDigest;
        await("it is proven", () -> journal().contains("\t" + proven + "\ttrue"));
        Files.delete(modules.resolve(formerFile));
        holding = ++number + ".0.0";
        serve(holding, "held.jar", Step.STOPPED, LONG_TRIAL);
        Files.delete(modules.resolve("held.jar"));
      }
      case REMOVAL -> Files.delete(modules.resolve(formerFile));
      case UPDATE_STOPS ->
          candidateDigest = drop(guest(name, candidate, Step.NONE, LONG_TRIAL), candidateFile);
      default -> {
        step =
            stage.name().endsWith("REHEARSES")
                ? Step.REHEARSED
                : stage.name().endsWith("OPENS") ? Step.OPENED : Step.STARTED;
        holding = candidate;
        candidateDigest = drop(guest(name, candidate, step, LONG_TRIAL), candidateFile);
      }
    }
    String word = step.word(holding);
    await(word, () -> master.stderr().contains(word));
    List<String> there = jars();

    master.kill();
    master.await(PATIENCE);
    kills++;
    startMaster();
    String survivor =
        switch (stage.survivor) {
          case FORMER -> former;
          case CANDIDATE -> candidate;
          case NONE -> "";
        };
    await("'" + survivor + "' serves", () -> serving(name).equals(survivor));
    if (name.equals(LATE)) {
      await("what has nothing to do with it serves", () -> serving(GUEST).equals(former));
    }
    await("the ledger says so", () -> installed(name).isPresent() == !survivor.isEmpty());
    if (!survivor.isEmpty()) {
      String file = stage.survivor == Survivor.CANDIDATE ? candidateFile : formerFile;
      // What was overwritten in the folder comes from the store.
      String shown = stage == Stage.UPDATE_STARTS ? "" : file;
      String wanted = survivor + " " + shown + " active";
      await(wanted, () -> installed(name).equals(Optional.of(wanted)));
    }
    await("it is said what became of the change", () -> change().isPresent());
    JsonNode change = change().orElseThrow();
    assertThat(change.path("name").asText()).isEqualTo(NAME + "." + name);
    assertThat(change.path("to").asText()).isEqualTo(stage == Stage.REMOVAL ? "" : candidate);
    assertThat(change.path("succeeded").asBoolean()).isFalse();
    assertThat(change.path("outcome").asText())
        .startsWith(
            stage == Stage.REMOVAL
                ? "the process ended before anything was done"
                : "the process ended after this stage: " + stage.last);

    if (step == Step.STOPPED) {
      assertThat(verdict(candidateDigest)).isEmpty();
    } else {
      assertThat(verdict(candidateDigest)).startsWith("skipped: the process ended");
    }
    assertThat(jars()).isEqualTo(there);
    if (name.equals(LATE)) {
      // What was being installed has its place while the folder wants it.
      Files.delete(modules.resolve(candidateFile));
    }
    Set<String> mayBeKept = new HashSet<>();
    if (stage != Stage.REMOVAL) {
      // Runs, or is what is gone back to, by itself or when somebody asks for it.
      mayBeKept.addAll(List.of(formerDigest, proven, servedBefore));
    }
    if (stage.survivor == Survivor.CANDIDATE) {
      mayBeKept.add(candidateDigest);
    }
    nothingElseIsLeft(mayBeKept);
    servedBefore =
        stage == Stage.REMOVAL
            ? ""
            : stage.survivor == Survivor.CANDIDATE ? candidateDigest : formerDigest;
    framework.awaitSubscriptions(1 + kills);
    framework.awaitTasks(1);
    assertThat(framework.failures()).isEmpty();
  }

  /**
   * Of guests only the bytes with these digests are in the store, and nothing that is half done.
   */
  private void nothingElseIsLeft(Set<String> digests) throws IOException {
    Set<String> mayBeKept = new HashSet<>();
    for (String jar : shipped) {
      mayBeKept.add(BundleStore.digest(modules.resolve(jar)) + ".jar");
    }
    digests.forEach(digest -> mayBeKept.add(digest + ".jar"));
    await("what is not needed is not kept", () -> mayBeKept.containsAll(kept()));
    assertThat(names(state())).isSubsetOf("bundles", "journal", "lock", "rehearsal");
    assertThat(state().resolve("rehearsal"))
        .satisfiesAnyOf(
            rehearsal -> assertThat(rehearsal).doesNotExist(),
            rehearsal -> assertThat(rehearsal).isEmptyDirectory());
  }
}
