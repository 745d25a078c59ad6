package org.mezzo.shell.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Shipped;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.Verification;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.local.LocalModules;

final class ModuleCommandsTest {
  @TempDir Path folder;
  private final LocalModules modules = new LocalModules();
  private final Ledger ledger = new Ledger();
  private final ModuleCommands commands = new ModuleCommands(modules.leases(), ledger);

  @AfterEach
  void close() {
    modules.close();
  }

  private static final class Ledger implements Deployments {
    boolean succeeds = true;

    private CompletionStage<Action> done(Action.Kind kind, String name) {
      return CompletableFuture.completedStage(
          new Action(
              7,
              "shell",
              Instant.EPOCH,
              kind,
              name,
              "1.0.0",
              "1.1.0",
              succeeds,
              succeeds ? "the new version took over" : "it cannot be opened",
              Duration.ofMillis(12),
              Duration.ZERO,
              List.of(new Action.Stage("drained", Duration.ofMillis(9)))));
    }

    @Override
    public List<Deployment> list() {
      return List.of(
          new Deployment(
              "org.mezzo.hooks",
              "1.1.0",
              "cd34",
              false,
              "hooks.jar",
              "active",
              "",
              7,
              List.of("hook labels")));
    }

    @Override
    public List<Action> history() {
      return List.of(done(Action.Kind.SWAP, "org.mezzo.hooks").toCompletableFuture().join());
    }

    @Override
    public List<String> leaks() {
      return List.of("org.gone 1.0.0: loader 7.0");
    }

    @Override
    public List<Shipped> shipped() {
      return List.of();
    }

    @Override
    public List<Verdict> verdicts() {
      return List.of(
          new Verdict(
              "ab12",
              "org.mezzo.hooks",
              "1.2.0",
              Verdict.Kind.ROLLED_BACK,
              "it threw",
              Instant.EPOCH));
    }

    @Override
    public Optional<Path> folder() {
      return Optional.empty();
    }

    @Override
    public CompletionStage<Action> install(Path jar, String principal) {
      return done(Action.Kind.INSTALL, jar.getFileName().toString());
    }

    @Override
    public CompletionStage<Action> install(String fileName, InputStream jar, String principal) {
      return done(Action.Kind.INSTALL, fileName);
    }

    @Override
    public CompletionStage<Action> install(
        Path jar, String fileName, Set<Condition> conditions, String principal) {
      return done(
          conditions.contains(Condition.REPLACES) ? Action.Kind.SWAP : Action.Kind.INSTALL,
          fileName);
    }

    @Override
    public Action noteLogLevel(
        String logger, String from, String to, String principal, String outcome) {
      throw new UnsupportedOperationException("no level is changed here");
    }

    @Override
    public CompletionStage<Action> configure(
        String module, Map<String, String> set, Set<String> unset, String principal) {
      return done(Action.Kind.CONFIGURE, module + " " + set + " " + unset);
    }

    @Override
    public CompletionStage<Action> rollback(String symbolicName, String principal) {
      return done(Action.Kind.SWAP, symbolicName);
    }

    @Override
    public CompletionStage<Verification> verify(Path jar, String fileName) {
      return CompletableFuture.completedStage(
          new Verification(
              fileName,
              "org.mezzo.hooks",
              "1.0.0",
              "ab12",
              List.of("hook labels"),
              "1.1.0",
              "swap",
              List.of("it lacks something"),
              List.of("it is old")));
    }

    @Override
    public CompletionStage<Action> uninstall(String symbolicName, String principal) {
      return done(Action.Kind.UNINSTALL, symbolicName);
    }
  }

  @Test
  void tellsWhenThereIsNothing() {
    assertThat(commands.modules()).isEqualTo("No modules are installed.");
    assertThat(commands.leases()).contains("No daemon");
    assertThat(commands.module("labels")).contains("No module is called labels");
  }

  @Test
  void showsModulesAndVacantLeases() {
    modules.register(Module.class, "hook", "labels", () -> new Module() {});
    modules
        .leases()
        .lease(
            LeaseRequest.of(
                Kind.serial(Module.class, "allocator"),
                "hierarchical",
                LocalModules.daemon("master", DaemonContext.Role.MASTER, folder),
                Runnable::run));
    assertThat(commands.modules().lines().toList().get(0)).startsWith("KIND  NAME");
    assertThat(commands.modules().lines().toList().get(1)).contains("labels").contains("available");
    assertThat(commands.leases()).contains("master").contains("hierarchical").contains("(vacant)");
    assertThat(commands.module("labels")).contains("state: available");
  }

  @Test
  void showsDeploymentsAndWhatWasDone() {
    assertThat(commands.deployments()).contains("org.mezzo.hooks  1.1.0").contains("hook labels");
    assertThat(commands.history()).contains("swap").contains("12 ms").contains("took over");
    assertThat(commands.history().lines().toList().get(1)).startsWith("7 ").contains(" shell ");
    assertThat(commands.change(7)).contains("by: shell").contains("after 9 ms: drained");
    assertThat(commands.change(8)).contains("no change 8");
    assertThat(commands.verdicts().lines().toList().get(1))
        .startsWith("org.mezzo.hooks  1.2.0")
        .contains("ab12")
        .contains("rolled back  it threw");
  }

  @Test
  void waitsForTheOutcomeAndFailsWithIt() throws Exception {
    Path jar = Files.createFile(folder.resolve("x.jar"));
    assertThat(commands.swap(jar.toString())).contains("1.0.0 -> 1.1.0").contains("gap 0 ms");
    assertThat(commands.install(jar.toString())).contains("install x.jar");
    assertThat(commands.install(jar.toUri().toString())).contains("install x.jar");
    assertThat(jar).exists();
    assertThatThrownBy(() -> commands.install(jar.toString(), "0".repeat(64)))
        .hasMessageContaining("has the SHA-256 ");
    assertThatThrownBy(() -> commands.install("-"))
        .hasMessageContaining("'-' is a jar that ssh sends")
        .hasMessageContaining("at a terminal name a path or a URL");
    assertThatThrownBy(() -> commands.install("ftp://host/x.jar"))
        .hasMessageContaining("begins with file:, http: or https:");
    assertThat(commands.uninstall("org.mezzo.hooks")).contains("uninstall org.mezzo.hooks");
    assertThat(commands.rollback("org.mezzo.hooks")).contains("swap org.mezzo.hooks 1.0.0 -> 1.1");
    assertThat(commands.config("labels", "label.a=b=c", "--unset=label.d"))
        .contains("configure labels {label.a=b=c} [label.d]");
    assertThatThrownBy(() -> commands.config("labels", "label"))
        .hasMessageContaining("'label' is neither PARAMETER=VALUE nor --unset=PARAMETER");
    assertThat(commands.verify(jar.toString()).lines())
        .contains(
            "It would be refused.",
            "  bundle: org.mezzo.hooks 1.0.0",
            "  would be: swap",
            "  problem: it lacks something",
            "  note: it is old");
    ledger.succeeds = false;
    assertThatThrownBy(() -> commands.swap(jar.toString()))
        .hasMessageContaining("cannot be opened");
    assertThatThrownBy(() -> commands.install("/nowhere.jar")).hasMessageContaining("no file");
  }

  @Test
  void whatIsKnownCanBeCompleted() throws Exception {
    assertThat(commands.after(List.of("rollback"), "")).containsExactly("org.mezzo.hooks");
    assertThat(commands.after(List.of("uninstall"), "org")).containsExactly("org.mezzo.hooks");
    assertThat(commands.after(List.of("change"), "")).containsExactly("7");
    assertThat(commands.after(List.of("history"), "")).isEmpty();
    assertThat(commands.after(List.of("rollback", "org.mezzo.hooks"), "")).isEmpty();
    Files.createDirectory(folder.resolve("builds"));
    Files.createFile(folder.resolve("b.jar"));
    Files.createFile(folder.resolve("b.txt"));
    Files.createFile(folder.resolve(".hidden.jar"));
    for (String command : List.of("install", "swap", "verify")) {
      assertThat(commands.after(List.of(command), folder + "/b"))
          .containsExactlyInAnyOrder(folder + "/b.jar", folder + "/builds/");
      assertThat(commands.after(List.of(command), folder + "/"))
          .containsExactlyInAnyOrder(folder + "/b.jar", folder + "/builds/");
      assertThat(commands.after(List.of(command), folder + "/none/x")).isEmpty();
      assertThat(commands.after(List.of(command), "\0")).isEmpty();
    }
  }
}
