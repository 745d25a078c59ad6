package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.containerizer.Containerizer.Recovered;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;

/** What becomes of containers when parts of the native launcher die, and which one is taken. */
class NativeLauncherTest {
  @TempDir Path folder;
  private Containerizer containerizer;

  @AfterEach
  void close() {
    if (containerizer != null) {
      containerizer.close(Duration.ofSeconds(5));
    }
  }

  private Launched launch(String id, String command) throws Exception {
    return get(
        containerizer.launch(
            LaunchRequest.builder(
                    ContainerId.of(id),
                    CommandInfo.newBuilder().setShell(true).setValue(command).build(),
                    folder.resolve("sandboxes").resolve(id))
                .build()));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static ProcessHandle parent(long pid) {
    return ProcessHandle.of(pid).flatMap(ProcessHandle::parent).orElseThrow();
  }

  @Test
  void aTaskWhoseShimDiesEndsAndSaysSo() throws Exception {
    containerizer = new FakeAgent(folder).launching(NativeLaunchers.built()).containerizer();
    Launched launched = launch("c", "sleep 1000");
    parent(launched.pid()).destroyForcibly();
    Termination end = get(launched.termination());
    assertThat(end.limitation().orElseThrow().message())
        .isEqualTo("The shim of the container was killed by signal 9; what ran in it was killed");
    // Killed, it may be there until somebody has waited for it.
    Await.until(
        "what ran is gone",
        () -> !ProcessHandle.of(launched.pid()).map(ProcessHandle::isAlive).orElse(false));
  }

  @Test
  void tasksGoOnWhenTheSpawnerDies() throws Exception {
    containerizer = new FakeAgent(folder).launching(NativeLaunchers.built()).containerizer();
    Launched launched = launch("c", "while ! test -e go; do sleep 0.05; done; exit 7");
    ProcessHandle spawner = parent(parent(launched.pid()).pid());
    spawner.destroyForcibly();
    Await.until(
        "another one has taken over",
        () ->
            Files.readString(folder.resolve("run time/launcher.log"))
                .contains("container c: its shim"));
    Files.writeString(folder.resolve("sandboxes/c/go"), "");
    assertThat(get(launched.termination()).exitStatus()).hasValue(7);
    assertThat(get(launch("d", "exit 3").termination()).exitStatus()).hasValue(3);
  }

  private static void stop(ProcessHandle process) throws Exception {
    Process kill = new ProcessBuilder("kill", "-STOP", Long.toString(process.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }

  @Test
  void aTaskWhoseShimDiesWithTheSpawnerEndsAndSaysSo() throws Exception {
    containerizer = new FakeAgent(folder).launching(NativeLaunchers.built()).containerizer();
    Launched launched = launch("c", "sleep 1000");
    ProcessHandle shim = parent(launched.pid());
    ProcessHandle spawner = parent(shim.pid());
    stop(spawner);
    shim.destroyForcibly();
    spawner.destroyForcibly();
    Termination end = get(launched.termination());
    assertThat(end.limitation().orElseThrow().message())
        .isEqualTo("The shim of the container is gone; what ran in it was killed");
    Await.until(
        "what ran is gone",
        () -> !ProcessHandle.of(launched.pid()).map(ProcessHandle::isAlive).orElse(false));
  }

  /** Stops the spawner, so that it will never hear what it is told from then on. */
  private static final class StoppingIsolator implements Isolator {
    private final AtomicReference<ProcessHandle> spawner = new AtomicReference<>();

    @Override
    public void recover(List<RecoveredContainer> containers) {
      // It keeps nothing.
    }

    @Override
    public LaunchPlan prepare(Container container) {
      return LaunchPlan.NONE;
    }

    @Override
    public void isolate(Container container, long pid) throws Exception {
      ProcessHandle process = parent(parent(pid).pid());
      stop(process);
      spawner.set(process);
    }

    @Override
    public void cleanup(Container container) {
      // It keeps nothing.
    }
  }

  @Test
  void aProcessThatWaitsIsLetGoThoughTheSpawnerDiesWithTheWord() throws Exception {
    StoppingIsolator isolator = new StoppingIsolator();
    containerizer =
        new FakeAgent(folder)
            .launching(NativeLaunchers.built())
            .with(Kinds.ISOLATOR, "stopping", isolator)
            .containerizer("stopping");
    Launched launched = launch("c", "exit 5");
    isolator.spawner.get().destroyForcibly();
    assertThat(get(launched.termination()).exitStatus()).hasValue(5);
  }

  @Test
  void aLaunchThatDiesWithTheSpawnerFailsAtOnce() throws Exception {
    containerizer = new FakeAgent(folder).launching(NativeLaunchers.built()).containerizer();
    ProcessHandle spawner = parent(parent(launch("c", "sleep 1000").pid()).pid());
    stop(spawner);
    CompletionStage<Launched> second =
        containerizer.launch(
            LaunchRequest.builder(
                    ContainerId.of("d"),
                    CommandInfo.newBuilder().setShell(true).setValue("sleep 1000").build(),
                    folder.resolve("sandboxes/d"))
                .build());
    Await.until(
        "it was asked for", () -> Files.exists(folder.resolve("run time/containers/d/sandbox")));
    long begin = System.nanoTime();
    spawner.destroyForcibly();
    assertThatThrownBy(() -> get(second))
        .hasMessageContaining("The launcher of the agent was lost");
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(25));
  }

  /** Another version of the launcher, which is all that differs. */
  private Path olderLauncher() throws Exception {
    NativeLaunchers.built();
    Path sources = Files.createDirectories(folder.resolve("c"));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("../native/src/main/c"))) {
      for (Path file : files) {
        Files.writeString(
            sources.resolve(file.getFileName()),
            Files.readString(file).replaceAll("VERSION_MINOR = [0-9]+,", "VERSION_MINOR = 77,"));
      }
    }
    Path program = folder.resolve("older-launcher");
    List<String> command = new ArrayList<>(List.of("cc", "-std=c11", "-o", program.toString()));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(sources, "*.c")) {
      files.forEach(file -> command.add(file.toString()));
    }
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    return program;
  }

  /** Where agents of this version find their spawner. */
  private static String socket() throws IOException {
    String header = Files.readString(Path.of("../native/src/main/c/wire.h"));
    Matcher minor = Pattern.compile("VERSION_MINOR = ([0-9]+),").matcher(header);
    assertThat(minor.find()).isTrue();
    return "1." + minor.group(1) + ".socket";
  }

  @Test
  void anOlderSpawnerKeepsItsContainersAndANewOneStartsBesideIt() throws Exception {
    Path runtime = Files.createDirectories(folder.resolve("run time"));
    Path launchers = runtime.resolve("launcher");
    String socket = socket();
    Process older =
        new ProcessBuilder(olderLauncher().toString(), "spawner", runtime.toString(), "15")
            .redirectError(folder.resolve("older.log").toFile())
            .start();
    try {
      assertThat(older.inputReader().readLine()).isEqualTo("ready");
      // The agent before this one, which was of that version.
      Files.move(launchers.resolve("1.77.socket"), launchers.resolve(socket));
      FakeAgent agent = new FakeAgent(folder).launching(NativeLaunchers.built());
      containerizer = agent.containerizer();
      Launched old = launch("old", "while ! test -e go; do sleep 0.05; done; exit 7");
      Launched killed = launch("killed", "sleep 1000");
      assertThat(parent(parent(old.pid()).pid()).pid()).isEqualTo(older.pid());
      Files.move(launchers.resolve(socket), launchers.resolve("1.77.socket"));
      containerizer.detach();

      containerizer = agent.containerizer();
      List<Recovered> left = get(containerizer.recover(id -> true));
      assertThat(left).hasSize(2).allMatch(Recovered::adopted);
      Launched young = launch("young", "exit 3");
      assertThat(get(young.termination()).exitStatus()).hasValue(3);
      assertThat(older.isAlive()).isTrue();
      assertThat(parent(parent(old.pid()).pid()).pid()).isEqualTo(older.pid());
      assertThat(Files.exists(launchers.resolve(socket))).isTrue();
      get(containerizer.destroy(ContainerId.of("killed")));
      assertThat(ProcessHandle.of(killed.pid()).map(ProcessHandle::isAlive).orElse(false))
          .isFalse();
      Files.writeString(folder.resolve("sandboxes/old/go"), "");
      Recovered end =
          left.stream()
              .filter(it -> it.containerId().equals(ContainerId.of("old")))
              .findFirst()
              .orElseThrow();
      assertThat(get(end.termination()).exitStatus()).hasValue(7);
      Await.until(
          "it ends after the last of its containers",
          Duration.ofSeconds(120),
          () -> !older.isAlive());
      assertThat(get(launch("next", "exit 4").termination()).exitStatus()).hasValue(4);
    } finally {
      older.destroyForcibly();
    }
  }

  @Test
  void theSpawnerEndsWithAnAgentThatLeavesNothing() throws Exception {
    containerizer = new FakeAgent(folder).launching(NativeLaunchers.built()).containerizer();
    Launched launched = launch("c", "sleep 1000");
    ProcessHandle spawner = parent(parent(launched.pid()).pid());
    assertThat(spawner.isAlive()).isTrue();
    containerizer.close(Duration.ofSeconds(20));
    containerizer = null;
    Await.until(() -> !spawner.isAlive());
  }

  @Test
  void aSocketMayHaveALongPath() throws Exception {
    Path deep = Files.createDirectories(folder.resolve("d".repeat(100)).resolve("e".repeat(100)));
    containerizer = new FakeAgent(deep).launching(NativeLaunchers.built()).containerizer();
    assertThat(get(launch("c", "exit 4").termination()).exitStatus()).hasValue(4);
  }

  @Test
  void withoutAProgramThereIsTheShellUnlessTheOtherIsAskedFor() throws Exception {
    Optional<Path> nowhere = Optional.of(folder.resolve("nowhere/mezzo-launcher"));
    FakeAgent asked =
        new FakeAgent(folder)
            .launching(new LauncherChoice(Optional.of(LauncherChoice.Kind.NATIVE), nowhere));
    assertThatThrownBy(asked::containerizer)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("There is no native launcher")
        .hasMessageContaining("nowhere/mezzo-launcher is not there");
    Path broken = folder.resolve("broken");
    Files.writeString(broken, "#!/bin/sh\nexit 1\n");
    assertThat(broken.toFile().setExecutable(true)).isTrue();
    for (Path program : new Path[] {nowhere.get(), broken}) {
      Path place = Files.createTempDirectory(folder, "agent");
      try (Containerizer shell =
          new FakeAgent(place)
              .launching(new LauncherChoice(Optional.empty(), Optional.of(program)))
              .containerizer()) {
        containerizer = shell;
        assertThat(get(launch("c" + place.getFileName(), "exit 6").termination()).exitStatus())
            .hasValue(6);
        try (Stream<Path> files = Files.list(place.resolve("run time"))) {
          assertThat(files.map(it -> it.getFileName().toString()))
              .contains("launcher.sh")
              .doesNotContain("launcher");
        }
      } finally {
        containerizer = null;
      }
    }
  }
}
