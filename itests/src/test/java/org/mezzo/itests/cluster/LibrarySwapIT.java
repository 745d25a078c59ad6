package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.library.Words;
import org.mezzo.itests.library.users.WordsAuthenticator;
import org.mezzo.itests.library.users.WordsHook;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * A library that a hook and an authenticator in bundles of their own need, replaced in a cluster
 * under load: all three take over together or none does, and no call is refused or goes past the
 * hook meanwhile.
 */
class LibrarySwapIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String NAME = "words";
  private static final String LIBRARY = "org.mezzo.itests.library";
  private static final String HOOK = LIBRARY + ".hook";
  private static final String AUTHENTICATOR = LIBRARY + ".authenticator";
  private static final String PRINCIPAL = "ada";
  private static final Map<String, String> CREDENTIALS =
      Map.of("Authorization", authorization(Words.COMMON));

  @TempDir Path folder;
  private Path modules;
  private LocalCluster cluster;
  private final Set<String> words = ConcurrentHashMap.newKeySet();

  @BeforeEach
  void start() throws Exception {
    Distribution distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    modules = distribution.modules();
    drop(library("1.0.0", "one"), "library.jar");
    drop(
        user(HOOK, "org.mezzo.api.hook").module(WordsHook.class, Hook.class, Hook.KIND, NAME),
        "hook.jar");
    drop(
        user(AUTHENTICATOR, "org.mezzo.api.authentication")
            .module(
                WordsAuthenticator.class, HttpAuthenticator.class, HttpAuthenticator.KIND, NAME),
        "authenticator.jar");
    cluster =
        LocalCluster.start(
            distribution,
            1,
            "--hooks=" + NAME,
            "--http_authenticators=" + NAME,
            "--http_framework_authenticators=" + NAME,
            "--authenticate_http_readwrite",
            "--authenticate_http_frameworks");
  }

  @AfterEach
  void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static ModuleBundle library(String version, String word) throws IOException {
    return ModuleBundle.of(LIBRARY + ".words", version)
        .header("Export-Package", LIBRARY + ";version=1.0")
        .with(Words.class)
        .with(Words.FILE, word);
  }

  private static ModuleBundle user(String name, String spi) {
    return ModuleBundle.of(name, "1.0.0")
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.protocol.v1," + spi + "," + LIBRARY + ";version=\"[1,2)\"");
  }

  private void drop(ModuleBundle bundle, String file) throws IOException {
    Path built = bundle.build(folder.resolve("built.jar"));
    Files.move(built, modules.resolve(file), StandardCopyOption.ATOMIC_MOVE);
  }

  private static String authorization(String word) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((PRINCIPAL + ":" + word).getBytes(StandardCharsets.UTF_8));
  }

  private static Http.Answer version(URI daemon, String... headers) throws IOException {
    return Http.postJson(daemon, "{\"type\":\"GET_VERSION\"}", headers);
  }

  /** What the master answers to somebody with that word. */
  private int knows(String word) throws IOException {
    return version(api(cluster.master()), "Authorization", authorization(word)).status();
  }

  private static URI api(URI daemon) {
    return daemon.resolve("/api/v1");
  }

  private URI agent() throws IOException {
    String pid = cluster.agents().get(0).path("pid").asText();
    return URI.create("http://" + pid.substring(pid.indexOf('@') + 1));
  }

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  private JsonNode deployment() throws IOException {
    return Http.get(cluster.master().resolve("/mezzo/deployments")).json();
  }

  /** Everything that has anything to do with the library: bundle, version, id and state. */
  private List<String> installed() throws IOException {
    return list(deployment().path("deployments")).stream()
        .filter(bundle -> bundle.path("name").asText().startsWith(LIBRARY))
        .map(
            bundle ->
                String.join(
                    " ",
                    bundle.path("name").asText(),
                    bundle.path("version").asText(),
                    bundle.path("bundle_id").asText(),
                    bundle.path("state").asText()))
        .sorted()
        .toList();
  }

  /** The modules of the two bundles, with who uses them; of bundles that only wait, too. */
  private List<String> used() throws IOException {
    return list(Http.get(cluster.master().resolve("/mezzo/modules")).json().path("modules"))
        .stream()
        .filter(module -> module.path("name").asText().equals(NAME))
        .map(
            module ->
                module.path("kind").asText()
                    + " "
                    + module.at("/bundle/id").asText()
                    + " "
                    + module.path("daemons"))
        .sorted()
        .toList();
  }

  private JsonNode awaitChange(String version) {
    Await.until("a change to " + version, PATIENCE, () -> change(version).isPresent());
    try {
      return change(version).orElseThrow();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Optional<JsonNode> change(String version) throws IOException {
    return list(deployment().path("history")).stream()
        .filter(action -> action.path("name").asText().startsWith(LIBRARY))
        .filter(action -> action.path("to").asText().equals(version))
        .findFirst();
  }

  private int changes() throws IOException {
    return deployment().path("history").size();
  }

  private void signed(FollowingFramework framework, JsonNode status) {
    List<String> found =
        list(status.at("/labels/labels")).stream()
            .filter(label -> label.path("key").asText().equals(WordsHook.AGENT))
            .map(label -> label.path("value").asText())
            .toList();
    if (found.size() == 1) {
      words.addAll(found);
    } else {
      framework.failed("an update that went past the hook, or twice through it: " + status);
    }
  }

  /** The words by which the hook signs what is launched from now on. */
  private Set<String> wordsFromNowOn(FollowingFramework framework) {
    // What was launched before may have been signed before.
    framework.awaitTasks(5);
    words.clear();
    framework.awaitTasks(3);
    return Set.copyOf(words);
  }

  @Test
  void aLibraryTakesOverTogetherWithWhatNeedsItOrNotAtAll() throws Exception {
    List<URI> master = List.of(api(cluster.master()));
    List<URI> agent = List.of(api(agent()));
    try (FollowingFramework framework =
            new FollowingFramework(List.of(cluster.master()), CREDENTIALS, PRINCIPAL, 1);
        PatientClient ofMaster = new PatientClient(master, LibrarySwapIT::version, CREDENTIALS);
        PatientClient ofAgent = new PatientClient(agent, LibrarySwapIT::version, CREDENTIALS)) {
      framework
          .shownTo(status -> signed(framework, status))
          // Of each daemon a word, whichever it was then: no launch goes past the hook.
          .running("test \"$%s\" && test \"$%s\"".formatted(WordsHook.MASTER, WordsHook.AGENT));
      framework.awaitSteady();
      assertThat(wordsFromNowOn(framework)).containsExactly("one");
      assertThat(knows("one")).isEqualTo(200);
      assertThat(knows("two")).isEqualTo(401);
      int before = changes();

      drop(library("2.0.0", "two"), "library.jar");
      JsonNode swap = awaitChange("2.0.0");
      assertThat(swap.path("outcome").asText())
          .startsWith("the new version took over from the old one, and with it ")
          .contains(HOOK + " 1.0.0", AUTHENTICATOR + " 1.0.0")
          .endsWith("which need it");
      assertThat(swap.path("succeeded").asBoolean()).isTrue();
      assertThat(changes()).as("one change for all three").isEqualTo(before + 1);
      assertThat(wordsFromNowOn(framework)).containsExactly("two");
      assertThat(knows("two")).isEqualTo(200);
      assertThat(knows("one")).isEqualTo(401);

      isTakenBack(
          framework,
          "3.0.0",
          library("3.0.0", "three").header("Export-Package", LIBRARY + ";version=2.0"),
          "which needs it, fails: it cannot be resolved: it needs the package " + LIBRARY);
      isTakenBack(
          framework, "4.0.0", library("4.0.0", Words.UNSPEAKABLE), "which needs it, fails: ");
      isTakenBack(
          framework,
          "5.0.0",
          library("5.0.0", "five").header("Export-Package", LIBRARY + ".elsewhere"),
          "library.jar was refused: it is a bundle but no module");

      drop(library("6.0.0", "six"), "library.jar");
      assertThat(awaitChange("6.0.0").path("succeeded").asBoolean()).isTrue();
      assertThat(wordsFromNowOn(framework)).containsExactly("six");
      framework.drain();
      assertThat(framework.failures()).isEmpty();
      assertThat(framework.subscriptions()).isEqualTo(1);
      for (PatientClient client : List.of(ofMaster, ofAgent)) {
        client.awaitAnswers(1);
        assertThat(client.failures()).isEmpty();
        assertThat(client.triedAgain()).as("calls that were not answered").isZero();
      }
      assertThat(swap.path("gap_ms").asInt()).as("of the first swap").isZero();
      System.out.printf(
          "LibrarySwapIT: %d tasks finished, %d calls answered by the master and %d by the agent;"
              + " longest gap between offers %d ms, of the first swap %d ms%n",
          framework.finished(),
          ofMaster.answered(),
          ofAgent.answered(),
          framework.longestGap().toMillis(),
          swap.path("gap_ms").asInt());
    }
  }

  /** A library that is no good changes nothing at all. */
  private void isTakenBack(
      FollowingFramework framework, String version, ModuleBundle library, String why)
      throws IOException {
    List<String> before = installed();
    drop(library, "library.jar");
    JsonNode change = awaitChange(version);
    assertThat(change.path("outcome").asText()).contains(why);
    assertThat(change.path("succeeded").asBoolean()).isFalse();
    Await.until("the same is listed", PATIENCE, () -> installed().equals(before));
    assertThat(before).hasSize(3).allMatch(it -> it.endsWith(" active"));
    assertThat(used())
        .as("nothing of it is left beside what runs")
        .hasSize(2)
        .allMatch(it -> it.contains("\"master\"") && it.contains("agent"));
    assertThat(wordsFromNowOn(framework)).containsExactly("two");
    assertThat(framework.failures()).isEmpty();
  }
}
