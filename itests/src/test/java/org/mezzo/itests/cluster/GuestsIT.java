package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.hook.Hook;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.hooks.ExitingActivator;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.hooks.HangingActivator;
import org.mezzo.itests.hooks.RefusingHook;
import org.mezzo.itests.hooks.ThrowingHook;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Bad modules, dropped into the folder of a cluster that uses a good version of them, and what
 * becomes of each before and after the process is started again.
 */
class GuestsIT {
  private static final String NAME = "org.mezzo.itests.guest";
  private static final String IMPORTS = "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1";
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @TempDir Path folder;
  private Path modules;
  private Distribution distribution;
  private LocalCluster cluster;

  @BeforeEach
  void start() throws Exception {
    distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    modules = distribution.modules();
    drop(hook("1.0.0"), "good.jar");
    cluster = LocalCluster.start(distribution, 1, "--hooks=guest");
    awaitServing("1.0.0");
  }

  @AfterEach
  void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static ModuleBundle bundle(String version) {
    return ModuleBundle.of(NAME, version).header("Import-Package", IMPORTS);
  }

  private static ModuleBundle hook(String version) throws IOException {
    return hook(version, GoodHook.class);
  }

  private static ModuleBundle hook(String version, Class<? extends Hook> type) throws IOException {
    return bundle(version).module(type, Hook.class, Hook.KIND, "guest");
  }

  private static ModuleBundle withActivator(String version, Class<?> activator) throws IOException {
    return hook(version)
        .with(activator)
        .header("Import-Package", IMPORTS + ",org.osgi.framework")
        .header("Bundle-Activator", activator.getName());
  }

  private void drop(ModuleBundle bundle, String file) throws IOException {
    Path built = bundle.build(folder.resolve("built.jar"));
    Files.move(built, modules.resolve(file), StandardCopyOption.ATOMIC_MOVE);
  }

  private JsonNode deployment() throws IOException {
    return Http.get(cluster.master().resolve("/mezzo/deployments")).json();
  }

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  /** Bundle and version of the hook that the master uses. */
  private String serving() throws IOException {
    for (JsonNode module :
        Http.get(cluster.master().resolve("/mezzo/modules")).json().path("modules")) {
      if (module.path("name").asText().equals("guest")
          && module.path("daemons").toString().contains("\"master\"")) {
        return module.at("/bundle/version").asText();
      }
    }
    return "";
  }

  private void awaitServing(String version) {
    await("hook " + version + " serves", () -> serving().equals(version));
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private void await(String what, Condition condition) {
    try {
      Await.until(what, PATIENCE, condition::holds);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + cluster.process().stderr(), e);
    }
  }

  /** What an operator reads about a bundle, in the list or the history of the leading master. */
  private List<String> words(String name) throws IOException {
    List<String> words = new ArrayList<>();
    JsonNode answer = deployment();
    for (JsonNode wanted : answer.path("deployments")) {
      if (wanted.path("name").asText().equals(name)) {
        words.add(wanted.path("problem").asText());
      }
    }
    for (JsonNode action : answer.path("history")) {
      if (action.path("name").asText().equals(name)) {
        words.add(action.path("outcome").asText());
      }
    }
    return words;
  }

  private void awaitWord(String name, String word) {
    await(
        name + ": '" + word + "'",
        () -> words(name).stream().anyMatch(text -> text.contains(word)));
  }

  private String verdict(String version) throws IOException {
    return list(deployment().path("verdicts")).stream()
        .filter(passed -> passed.path("version").asText().equals(version))
        .map(passed -> passed.path("verdict").asText() + ": " + passed.path("reason").asText())
        .findFirst()
        .orElse("");
  }

  /** Digests of the bundles that are kept. */
  private List<String> kept() throws IOException {
    try (Stream<Path> files = Files.list(state().resolve("bundles"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private Path state() {
    return cluster.folder().resolve("work").resolve("deployment");
  }

  /** What is installed of each bundle name, with its version and state. */
  private List<String> installed() throws IOException {
    return list(deployment().path("deployments")).stream()
        .filter(wanted -> wanted.has("bundle_id"))
        .map(
            wanted ->
                wanted.path("name").asText()
                    + " "
                    + wanted.path("version").asText()
                    + " "
                    + wanted.path("state").asText())
        .sorted()
        .toList();
  }

  private void runTask() throws IOException {
    try (TestFramework framework =
        TestFramework.subscribe(
            cluster.master(),
            """
            {"user":"%s","name":"guest","roles":["guest"],
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
            """
                .formatted(System.getProperty("user.name")))) {
      JsonNode offers = framework.await("OFFERS", event -> true, PATIENCE);
      framework.launch(offers.at("/offers/offers/0"), List.of("task"), "true");
      framework.await(
          "UPDATE",
          event -> {
            if (event.at("/update/status/uuid").isTextual()) {
              try {
                framework.acknowledge(event.at("/update/status"));
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            }
            return event.at("/update/status/state").asText().equals("TASK_FINISHED");
          },
          PATIENCE);
    }
  }

  @Test
  void whatIsNoModuleForThisHostIsRefusedInClearWordsAndChangesNothing() throws Exception {
    Map<String, ModuleBundle> bad = new LinkedHashMap<>();
    bad.put(
        "it is a bundle but no module",
        ModuleBundle.of(NAME + ".library", "1.0.0").header("Export-Package", "com.example.some"));
    bad.put(
        "is a module of the kind 'hok', which this host does not know; it knows ",
        ModuleBundle.of(NAME + ".kind", "1.0.0")
            .header("Import-Package", IMPORTS)
            .module(GoodHook.class, Hook.class, "hok", "guest"));
    bad.put(
        "does not provide " + Isolator.class.getName(),
        ModuleBundle.of(NAME + ".interface", "1.0.0")
            .header("Import-Package", IMPORTS)
            .module(GoodHook.class, Hook.class, Isolator.KIND, "guest"));
    bad.put(
        "it exports org.mezzo.api, which the host itself provides",
        ModuleBundle.of(NAME + ".poison", "1.0.0")
            .header("Import-Package", IMPORTS)
            .header("Export-Package", "org.mezzo.api;version=\"0.9\"")
            .module(GoodHook.class, Hook.class, Hook.KIND, "poison"));
    bad.put(
        "it has no hook 'guest' any more, which ",
        bundle("2.0.0").module(GoodHook.class, Hook.class, Hook.KIND, "other"));
    bad.put(
        "it needs the package org.nowhere",
        hook("2.1.0").header("Import-Package", IMPORTS + ",org.nowhere"));
    bad.put("not in the mood", hook("2.2.0", RefusingHook.class));
    await("it is listed", () -> installed().contains(NAME + " 1.0.0 active"));
    List<String> before = installed();
    List<String> bytes = kept();
    Map<String, String> names = new LinkedHashMap<>();
    int number = 0;
    for (Map.Entry<String, ModuleBundle> each : bad.entrySet()) {
      String file = "bad-" + number++ + ".jar";
      drop(each.getValue(), file);
      String name =
          new java.util.jar.JarFile(modules.resolve(file).toFile())
              .getManifest()
              .getMainAttributes()
              .getValue("Bundle-SymbolicName");
      names.put(each.getKey(), name);
      awaitWord(name, each.getKey());
    }
    Files.writeString(modules.resolve("text.jar"), "no jar");
    awaitWord("text.jar", "zip");
    assertThat(installed()).isEqualTo(before);
    await("only what is used is kept", () -> kept().equals(bytes));
    assertThat(serving()).isEqualTo("1.0.0");

    cluster.restart();
    awaitServing("1.0.0");
    for (Map.Entry<String, String> each : names.entrySet()) {
      awaitWord(each.getValue(), each.getKey());
    }
    await("the same is listed", () -> installed().equals(before));
    assertThat(verdict("2.2.0")).startsWith("refused: ").contains("not in the mood");
    await("only what is used is kept", () -> kept().equals(bytes));
    runTask();
  }

  @Test
  void whatHangsIsLeftAloneAndNothingElseIsHeldUp() throws Exception {
    drop(withActivator("2.0.0", HangingActivator.class), "hangs.jar");
    awaitWord(NAME, "has not returned from being started");
    assertThat(serving()).isEqualTo("1.0.0");
    assertThat(verdict("2.0.0")).startsWith("barred: ");
    drop(hook("3.0.0"), "next.jar");
    awaitServing("3.0.0");
    runTask();

    cluster.restart();
    awaitServing("3.0.0");
    assertThat(verdict("2.0.0")).startsWith("barred: ");
    Files.delete(modules.resolve("next.jar"));
    awaitServing("1.0.0");
    await("it is listed", () -> installed().contains(NAME + " 1.0.0 active"));
  }

  @Test
  void whatEndsTheProcessIsSkippedAtTheNextStartAndSaidToHaveDoneSo() throws Exception {
    drop(withActivator("2.0.0", ExitingActivator.class), "exits.jar");
    cluster.process().await(PATIENCE);

    cluster.start();
    awaitServing("1.0.0");
    assertThat(verdict("2.0.0"))
        .startsWith("skipped: ")
        .contains(ExitingActivator.class.getName() + " called System.exit");
    awaitWord(NAME, "2.0.0 in exits.jar was skipped");
    runTask();
    cluster.restart();
    awaitServing("1.0.0");
  }

  @Test
  void whatThrowsInItsFirstRealCallsIsRolledBackByItselfAndStaysSo() throws Exception {
    drop(hook("2.0.0", ThrowingHook.class), "throws.jar");
    awaitServing("2.0.0");
    await(
        "the swap has ended",
        () ->
            list(deployment().path("history")).stream()
                .anyMatch(
                    action ->
                        action.path("to").asText().equals("2.0.0")
                            && action.path("succeeded").asBoolean()));
    runTask();
    awaitServing("1.0.0");
    await("it is said", () -> verdict("2.0.0").startsWith("rolled back: "));
    assertThat(verdict("2.0.0")).contains("hook 'guest' threw in the last 1 calls of master");
    // The verdict comes first, the end of the change after it.
    await("the change has ended", () -> rollbacks().size() == 1);
    JsonNode back = rollbacks().get(0);
    assertThat(back.path("from").asText()).isEqualTo("2.0.0");
    assertThat(back.path("to").asText()).isEqualTo("1.0.0");
    assertThat(back.path("gap_ms").asInt()).isZero();

    cluster.restart();
    awaitServing("1.0.0");
    awaitWord(NAME, "2.0.0 in throws.jar was rolled back");
    await("it is listed", () -> installed().contains(NAME + " 1.0.0 active"));
  }

  private List<JsonNode> rollbacks() throws IOException {
    return list(deployment().path("history")).stream()
        .filter(action -> action.path("principal").asText().equals("deployment"))
        .toList();
  }

  @Test
  void afterAKillInTheMiddleOfAChangeWhatRunsIsWhatTheLedgerSays() throws Exception {
    drop(withActivator("2.0.0", HangingActivator.class), "slow.jar");
    String digest = BundleStore.digest(modules.resolve("slow.jar"));
    await(
        "it is being started",
        () -> Files.readString(state().resolve("journal")).contains("\tSTARTING\t" + digest));
    cluster.process().kill();
    cluster.process().await(PATIENCE);

    cluster.start();
    awaitServing("1.0.0");
    await("it is listed", () -> installed().contains(NAME + " 1.0.0 active"));
    awaitWord(NAME, "the process ended after this stage: installed beside " + NAME + " 1.0.0");
    assertThat(verdict("2.0.0")).startsWith("skipped: ");
    awaitWord(NAME, "2.0.0 in slow.jar was skipped");
    runTask();
  }

  /** Nothing is known of it yet, and the level at which modules start has not been reached. */
  @Test
  void whatHangsAtAFirstBootHoldsNothingUp() throws Exception {
    cluster.close();
    drop(withActivator("2.0.0", HangingActivator.class), "slow.jar");
    cluster = LocalCluster.start(distribution, 1, "--hooks=guest");
    awaitServing("1.0.0");
    awaitWord(NAME, "it has not returned from being started within 10000 ms");
    runTask();
    assertThat(verdict("2.0.0")).startsWith("barred: ");
  }
}
