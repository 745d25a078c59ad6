package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.hook.Hook;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.hooks.HoldingGuest;
import org.mezzo.itests.hooks.HoldingGuest.Step;
import org.mezzo.itests.hooks.StageFrightHook;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Another distribution over the same work directory, with a version of a module that is no good:
 * what becomes of it at the first boot and at those that follow.
 */
class FirstBootIT {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final String NAME = "org.mezzo.itests.guest";
  private static final String IMPORTS = "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1";
  private static final List<String> DAEMONS = List.of("agent", "master");

  @TempDir Path folder;
  private int port;
  private URI master;
  private MezzoProcess process;

  @BeforeEach
  void choosePort() throws IOException {
    port = Distribution.freePort();
    master = URI.create("http://127.0.0.1:" + port);
  }

  @AfterEach
  void close() {
    if (process != null) {
      process.close();
    }
  }

  private static ModuleBundle guest(String version, Class<? extends Hook> type) throws IOException {
    return ModuleBundle.of(NAME, version)
        .header("Import-Package", IMPORTS)
        .module(type, Hook.class, Hook.KIND, "guest");
  }

  /** One that does not return from its rehearsal. */
  private static ModuleBundle holding(String version) throws IOException {
    return guest(version, HoldingGuest.class)
        .header("Import-Package", IMPORTS + ",org.osgi.framework,org.osgi.service.cm")
        .header("Bundle-Activator", HoldingGuest.class.getName())
        .with(Step.class)
        .with(HoldingGuest.FILE, Step.REHEARSED.text(600_000));
  }

  private Distribution distribution(String name, ModuleBundle guest) throws IOException {
    Distribution distribution = Distribution.built().copyTo(folder.resolve(name));
    guest.build(distribution.modules().resolve("guest.jar"));
    return distribution;
  }

  private void start(Distribution distribution) throws IOException {
    process =
        MezzoProcess.start(
            distribution,
            folder.resolve("logs"),
            "local",
            "--agents=1",
            "--port=" + port,
            "--work_dir=" + folder.resolve("work"),
            "--hooks=guest");
  }

  private void boot(Distribution distribution) throws IOException {
    start(distribution);
    await(
        "an agent is registered",
        () -> Http.get(master.resolve("/slaves")).json().path("slaves").size() == 1);
  }

  private void stop() throws InterruptedException {
    process.terminate();
    process.await(PATIENCE);
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private void await(String what, Condition condition) {
    try {
      Await.until(what, PATIENCE, condition::holds);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + process.stderr(), e);
    }
  }

  /** Which daemons use which version of the guest. */
  private Map<String, Set<String>> serving() throws IOException {
    Map<String, Set<String>> serving = new HashMap<>();
    for (JsonNode module : Http.get(master.resolve("/mezzo/modules")).json().path("modules")) {
      if (module.path("name").asText().equals("guest")) {
        for (JsonNode daemon : module.path("daemons")) {
          serving
              .computeIfAbsent(module.at("/bundle/version").asText(), version -> new TreeSet<>())
              .add(daemon.asText().replaceAll("[^a-z]", ""));
        }
      }
    }
    return serving;
  }

  private void awaitServing(String version) {
    await(
        version + " serves master and agent",
        () -> serving().equals(Map.of(version, Set.copyOf(DAEMONS))));
  }

  private JsonNode deployment() throws IOException {
    return Http.get(master.resolve("/mezzo/deployments")).json();
  }

  private List<String> verdicts() throws IOException {
    List<String> verdicts = new ArrayList<>();
    for (JsonNode passed : deployment().path("verdicts")) {
      verdicts.add(
          passed.path("version").asText()
              + " "
              + passed.path("verdict").asText()
              + ": "
              + passed.path("reason").asText());
    }
    return verdicts;
  }

  /** Version, state and problem of the guest. */
  private String listed() throws IOException {
    for (JsonNode wanted : deployment().path("deployments")) {
      if (wanted.path("name").asText().equals(NAME)) {
        return wanted.path("version").asText()
            + " "
            + wanted.path("state").asText()
            + " "
            + wanted.path("problem").asText();
      }
    }
    return "";
  }

  private String outcomes() throws IOException {
    List<String> outcomes = new ArrayList<>();
    deployment().path("history").forEach(it -> outcomes.add(it.path("outcome").asText()));
    return String.join("\n", outcomes);
  }

  private List<String> journal() throws IOException {
    Path file = folder.resolve("work").resolve("deployment").resolve("journal");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  private long rehearsals() throws IOException {
    return journal().stream().filter(line -> line.contains("\tREHEARSING\t")).count();
  }

  /** Digests of what rehearses now, as far as the journal says. */
  private Set<String> rehearsing() throws IOException {
    Set<String> rehearsing = new TreeSet<>();
    for (String line : journal()) {
      String[] fields = line.split("\t");
      switch (fields[1]) {
        case "REHEARSING" -> rehearsing.add(fields[2]);
        case "OPENING", "SURVIVED" -> rehearsing.remove(fields[2]);
        default -> {}
      }
    }
    return rehearsing;
  }

  private void awaitPassed(Path jar) throws IOException {
    String digest = BundleStore.digest(jar);
    await(
        jar + " is known to have rehearsed well",
        () -> journal().stream().anyMatch(line -> line.endsWith("\tPASSED\t" + digest)));
  }

  private void runTask() throws IOException {
    try (FollowingFramework framework = new FollowingFramework(List.of(master), Map.of(), "", 1)) {
      framework.awaitSteady();
      framework.awaitTasks(1);
      framework.drain();
      assertThat(framework.failures()).isEmpty();
    }
  }

  /** A first distribution, with a guest that does its work. */
  private Distribution bootOld() throws IOException {
    Distribution old = distribution("old", guest("1.0.0", GoodHook.class));
    boot(old);
    awaitServing("1.0.0");
    awaitPassed(old.modules().resolve("guest.jar"));
    return old;
  }

  @Test
  void aVersionThatFailsWhenItRehearsesGivesWayToTheOldOneForGood() throws Exception {
    Distribution old = bootOld();
    long before = rehearsals();
    assertThat(before).isPositive();
    stop();
    boot(old);
    awaitServing("1.0.0");
    stop();
    assertThat(rehearsals()).as("rehearsals of a boot with what ran before").isEqualTo(before);

    Distribution next = distribution("next", guest("2.0.0", StageFrightHook.class));
    for (int boots = 1; boots <= 2; boots++) {
      boot(next);
      awaitServing("1.0.0");
      await("it is said", () -> listed().startsWith("1.0.0 active 2.0.0 in guest.jar was refused"));
      assertThat(listed()).contains("failed when it rehearsed for ").contains("stage fright");
      assertThat(verdicts()).hasSize(1);
      assertThat(verdicts().get(0))
          .startsWith("2.0.0 refused: hook 'guest' failed when it rehearsed for ");
      assertThat(outcomes()).contains("stage fright; 1.0.0, the last that was good, runs instead");
      runTask();
      assertThat(process.stderr()).contains("stage fright").doesNotContain(StageFrightHook.OPENED);
      stop();
    }
  }

  @Test
  void whereNothingWasGoodBeforeItIsSaidWhatFailed() throws Exception {
    boot(distribution("first", guest("2.0.0", StageFrightHook.class)));
    await("it is said", () -> listed().startsWith("2.0.0 failed "));
    assertThat(listed())
        .contains("hook 'guest' failed when it rehearsed for ")
        .contains("stage fright");
    await(
        "what is left to do is said",
        () ->
            outcomes()
                .contains(
                    "stage fright; no other version was good before that could run instead."));
    assertThat(verdicts()).isEmpty();
    assertThat(serving()).isEmpty();
    assertThat(process.stderr())
        .contains("no other version was good before that could run instead.")
        .doesNotContain(StageFrightHook.OPENED);
    runTask();
  }

  @Test
  void aRehearsalThatDoesNotEndHoldsNothingUp() throws Exception {
    bootOld();
    stop();
    boot(distribution("next", holding("2.0.0")));
    runTask();
    awaitServing("1.0.0");
    assertThat(process.stderr()).contains(Step.REHEARSED.word("2.0.0"));
    assertThat(verdicts()).hasSize(1);
    assertThat(verdicts().get(0))
        .startsWith("2.0.0 barred: ")
        .contains("has not returned from being rehearsed within 10000 ms");
  }

  @Test
  void whatWasRehearsingWhenTheProcessWasKilledIsSkippedAndTheOldOneRuns() throws Exception {
    bootOld();
    stop();
    Distribution next = distribution("next", holding("2.0.0"));
    String digest = BundleStore.digest(next.modules().resolve("guest.jar"));
    start(next);
    await("nothing else rehearses", () -> rehearsing().equals(Set.of(digest)));
    process.kill();
    process.await(PATIENCE);

    for (int boots = 1; boots <= 2; boots++) {
      boot(next);
      awaitServing("1.0.0");
      assertThat(verdicts()).hasSize(1);
      assertThat(verdicts().get(0)).startsWith("2.0.0 skipped: the process ended while it was");
      await("it is said", () -> listed().startsWith("1.0.0 active 2.0.0 in guest.jar was skipped"));
      String modules =
          deployment().path("deployments").findValuesAsText("state").stream()
              .distinct()
              .collect(Collectors.joining(","));
      assertThat(modules).isEqualTo("active");
      stop();
    }
  }
}
