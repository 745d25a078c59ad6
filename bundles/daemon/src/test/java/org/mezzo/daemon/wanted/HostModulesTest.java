package org.mezzo.daemon.wanted;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Verdict;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleReport.State;
import org.mezzo.link.messages.WantedModule;
import org.mezzo.link.messages.WantedModules;
import org.mezzo.modules.local.LocalModules;

/** A host that is told what the cluster wants, where a hot folder and others have their say. */
class HostModulesTest {
  private static final String NAME = "org.example.module";

  @TempDir Path folder;
  private Path hot;
  private final LocalModules leases = new LocalModules();
  private final Map<String, String> installed = new ConcurrentHashMap<>();
  private final List<String> changes = new CopyOnWriteArrayList<>();
  private final List<Verdict> verdicts = new CopyOnWriteArrayList<>();
  private volatile boolean refuses;

  /** An installation is over once this is complete. */
  private volatile CompletableFuture<Void> over = CompletableFuture.completedFuture(null);

  private HostModules host;

  @BeforeEach
  void start() throws Exception {
    hot = Files.createDirectory(folder.resolve("hot"));
    host = open();
  }

  @AfterEach
  void stop() {
    host.close();
    leases.close();
  }

  private HostModules open() {
    return new HostModules(folder.resolve("state"), "setup", deployments(), leases.leases());
  }

  /** Has a folder in which every bundle is called by its name. */
  private Deployments deployments() {
    return (Deployments)
        Proxy.newProxyInstance(
            Deployments.class.getClassLoader(),
            new Class<?>[] {Deployments.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "folder" -> Optional.of(hot);
                  case "history" -> List.of();
                  case "verdicts" -> List.copyOf(verdicts);
                  case "list" ->
                      installed.containsKey(NAME)
                          ? List.of(
                              new Deployment(
                                  NAME,
                                  "1.0.0",
                                  installed.get(NAME),
                                  false,
                                  "module.jar",
                                  "active",
                                  "",
                                  7,
                                  List.of()))
                          : List.of();
                  case "install" -> install((InputStream) arguments[1], (String) arguments[2]);
                  case "uninstall" -> uninstall((String) arguments[1]);
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private CompletableFuture<Action> install(InputStream jar, String principal) throws Exception {
    byte[] bytes = jar.readAllBytes();
    changes.add(principal + " installs " + new String(bytes, StandardCharsets.UTF_8));
    if (!refuses) {
      put(bytes);
    }
    Action action = action(!refuses);
    return over.thenApply(unused -> action);
  }

  private CompletableFuture<Action> uninstall(String principal) {
    changes.add(principal + " uninstalls");
    installed.remove(NAME);
    return CompletableFuture.completedFuture(action(true));
  }

  private static Action action(boolean good) {
    return new Action(
        1,
        "",
        Instant.EPOCH,
        Action.Kind.SWAP,
        NAME,
        "",
        "",
        good,
        good ? "swapped" : "it throws",
        Duration.ZERO,
        Duration.ZERO,
        List.of());
  }

  private void put(byte[] bytes) throws Exception {
    Files.write(hot.resolve("module.jar"), bytes);
    installed.put(NAME, digest(bytes));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String digest(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private void want(long generation, String... jars) throws Exception {
    want(Role.AGENT, generation, jars);
  }

  private void want(Role role, long generation, String... jars) throws Exception {
    WantedModules.Builder wanted = WantedModules.newBuilder().setGeneration(generation);
    Map<String, byte[]> contents = new ConcurrentHashMap<>();
    for (String jar : jars) {
      String digest = digest(bytes(jar));
      contents.put(digest, bytes(jar));
      wanted.addModules(
          WantedModule.newBuilder().setSymbolicName(NAME).setVersion("2.0.0").setSha256(digest));
    }
    host.want(
        role,
        wanted.build(),
        (digest, size) ->
            contents.get(digest).length == 0
                ? CompletableFuture.failedFuture(new IOException("it has no such jar"))
                : CompletableFuture.completedFuture(ByteString.copyFrom(contents.get(digest))));
  }

  private void awaitState(long generation, State state) {
    Await.until(
        state + " in generation " + generation,
        () ->
            host.status(Role.AGENT).getGeneration() == generation
                && host.status(Role.AGENT).getModulesList().stream()
                    .map(ModuleReport::getState)
                    .allMatch(state::equals)
                && host.status(Role.AGENT).getModulesCount() == 1);
  }

  private void awaitNothing(long generation) {
    Await.until(
        "nothing is reported",
        () ->
            host.status(Role.AGENT).getGeneration() == generation
                && host.status(Role.AGENT).getModulesCount() == 0);
  }

  @Test
  void hostGoesBackToWhatItHadBefore() throws Exception {
    put(bytes("shipped"));
    want(1, "one");
    awaitState(1, State.ACTIVE);
    want(2, "two");
    awaitState(2, State.ACTIVE);
    want(3);
    awaitNothing(3);

    assertThat(changes)
        .containsExactly(
            "rollout 1 installs one", "rollout 2 installs two", "rollout 3 installs shipped");
  }

  @Test
  void whatWasNotThereBeforeIsRemoved() throws Exception {
    want(1, "one");
    awaitState(1, State.ACTIVE);
    want(2);
    awaitNothing(2);

    assertThat(changes).containsExactly("rollout 1 installs one", "rollout 2 uninstalls");
  }

  @Test
  void whatSomebodyPutsThereIsLeftAloneAlsoByTheNextProcess() throws Exception {
    put(bytes("shipped"));
    want(1, "one");
    awaitState(1, State.ACTIVE);
    put(bytes("by hand"));
    awaitState(1, State.OVERRIDDEN);
    host.close();
    host = open();
    want(2, "two");
    awaitState(2, State.OVERRIDDEN);

    assertThat(changes).containsExactly("rollout 1 installs one");
  }

  @Test
  void nextProcessKnowsWhatTheHostHadBefore() throws Exception {
    put(bytes("shipped"));
    want(1, "one");
    awaitState(1, State.ACTIVE);
    host.close();
    host = open();
    want(2);
    awaitNothing(2);

    assertThat(changes).last().isEqualTo("rollout 2 installs shipped");
  }

  @Test
  void whatFailsIsNotTriedAgainInTheSameGeneration() throws Exception {
    put(bytes("shipped"));
    refuses = true;
    want(1, "bad");
    awaitState(1, State.FAILED);
    assertThat(host.status(Role.AGENT).getModules(0).getProblem()).isEqualTo("it throws");
    want(1, "bad");
    want(0);
    awaitNothing(0);
    assertThat(changes).hasSize(1);

    refuses = false;
    want(2, "bad");
    awaitState(2, State.ACTIVE);
  }

  /** One that joins gets what there is, and the next may be ordered before it has that. */
  @Test
  void whatIsWantedWhileSomethingIsInstalledIsInstalledNext() throws Exception {
    put(bytes("shipped"));
    for (boolean refused : new boolean[] {false, true}) {
      long generation = refused ? 3 : 1;
      over = new CompletableFuture<>();
      refuses = refused;
      int before = changes.size();
      want(generation, "jar " + generation);
      Await.until("the first is under way", () -> changes.size() == before + 1);
      want(generation + 1, "jar " + (generation + 1));
      awaitState(generation + 1, State.PENDING);
      refuses = false;
      over.complete(null);
      awaitState(generation + 1, State.ACTIVE);
      assertThat(changes)
          .endsWith(
              "rollout " + generation + " installs jar " + generation,
              "rollout " + (generation + 1) + " installs jar " + (generation + 1));
    }
  }

  @Test
  void whatEndedTheProcessIsNotTriedByTheNextOne() throws Exception {
    refuses = true;
    want(1, "deadly");
    awaitState(1, State.FAILED);
    host.close();
    verdicts.add(
        new Verdict(
            digest(bytes("deadly")), NAME, "2.0.0", Verdict.Kind.FATAL, "exit", Instant.EPOCH));
    host = open();
    want(1, "deadly");
    awaitState(1, State.FAILED);

    assertThat(host.status(Role.AGENT).getModules(0).getProblem()).isEqualTo("exit");
    assertThat(changes).hasSize(1);
  }

  @Test
  void jarThatDoesNotComeIsAFailure() throws Exception {
    put(bytes("shipped"));
    want(1, "");
    awaitState(1, State.FAILED);

    assertThat(host.status(Role.AGENT).getModules(0).getProblem()).contains("it has no such jar");
    assertThat(new ArrayList<>(changes)).isEmpty();
  }

  @Test
  void masterAndAgentOfAProcessHaveOneHost() throws Exception {
    host.add(Role.AGENT, () -> {});
    host.add(Role.MASTER, () -> {});
    want(Role.MASTER, 1, "one");
    want(1);
    awaitState(1, State.ACTIVE);
    want(Role.MASTER, 2, "two");
    Await.until(
        "the master has the next generation",
        () ->
            host.status(Role.MASTER).getGeneration() == 2
                && host.status(Role.MASTER).getModules(0).getState() == State.ACTIVE);

    assertThat(host.status(Role.AGENT).getGeneration()).isEqualTo(1);
    assertThat(host.status(Role.AGENT).getHostId()).isEqualTo(host.status(Role.MASTER).getHostId());
    assertThat(changes).containsExactly("rollout 1 installs one", "rollout 2 installs two");
  }

  @Test
  void nothingIsTakenAwayBeforeAllDaemonsOfTheProcessHaveSpoken() throws Exception {
    want(Role.MASTER, 1, "one");
    Await.until("it is there", () -> host.status(Role.MASTER).getModulesCount() == 1);
    Await.until(
        "it is active", () -> host.status(Role.MASTER).getModules(0).getState() == State.ACTIVE);
    host.close();
    host = open();
    host.add(Role.AGENT, () -> {});
    host.add(Role.MASTER, () -> {});
    want(1);
    awaitState(1, State.PENDING);
    want(Role.MASTER, 1, "one");
    awaitState(1, State.ACTIVE);

    assertThat(changes).containsExactly("rollout 1 installs one");
  }
}
