package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.containerizer.Containerizer.Recovered;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

/** What an agent finds again that was killed, or left its containers. */
class RecoveryTest {
  @TempDir Path folder;
  private Optional<Containerizer> opened = Optional.empty();

  /** An agent, with the launcher that is tried. */
  FakeAgent agent() {
    return new FakeAgent(folder);
  }

  /** What makes a JVM's agents like it. */
  List<String> options() {
    return List.of();
  }

  private Containerizer open(String... isolation) throws Exception {
    return open(agent(), isolation);
  }

  private Containerizer open(FakeAgent agent, String... isolation) throws Exception {
    Containerizer containerizer = agent.containerizer(isolation);
    opened = Optional.of(containerizer);
    return containerizer;
  }

  @AfterEach
  void close() {
    opened.ifPresent(it -> it.close(Duration.ofSeconds(30)));
  }

  /** Cgroups of which a test has made the agent forget. */
  @AfterEach
  void removeCgroups() throws IOException {
    for (String parent :
        List.of(
            "/sys/fs/cgroup/freezer/" + FakeAgent.CGROUPS,
            "/sys/fs/cgroup/unified/" + FakeAgent.CGROUPS,
            "/sys/fs/cgroup/" + FakeAgent.CGROUPS)) {
      for (String name : List.of("runs-", "over-", "stray-")) {
        Path cgroup = Path.of(parent, name + folder.getFileName());
        if (Files.isDirectory(cgroup)) {
          Await.until(() -> Files.readString(cgroup.resolve("cgroup.procs")).isEmpty());
          Files.deleteIfExists(cgroup);
        }
      }
    }
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** A name of its own for each test: what one leaves must not be in the way of the others. */
  private static ContainerId runs(Path folder) {
    return ContainerId.of("runs-" + folder.getFileName());
  }

  private ContainerId runs() {
    return runs(folder);
  }

  /** Where the launcher has its files. */
  private Path files() {
    return folder.resolve("run time/containers").resolve(runs().value());
  }

  private static LaunchRequest.Builder request(Path folder, ContainerId id, String command) {
    return LaunchRequest.builder(
        id,
        CommandInfo.newBuilder().setShell(true).setValue(command).build(),
        id.sandbox(folder.resolve(id.root().equals(runs(folder)) ? "runs" : id.root().value())));
  }

  private static boolean alive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  private static List<Recovered> recover(Containerizer containers) throws Exception {
    return get(containers.recover(id -> true));
  }

  @Test
  void aContainerThatRunsGoesOnAsIfNothingHadBeen() throws Exception {
    Containerizer before = open();
    Resources resources = Resources.of(Resource.scalar("cpus", 0.5), Resource.scalar("mem", 32));
    Launched launched =
        get(
            before.launch(
                request(folder, runs(), "while [ ! -e go ]; do sleep 0.05; done; exit 5")
                    .resources(resources, Resources.EMPTY)
                    .build()));
    ContainerId inner = runs().child("in");
    Launched nested = get(before.launch(request(folder, inner, "sleep 1000").build()));
    before.detach();
    assertThat(alive(launched.pid())).isTrue();

    Containerizer after = open();
    assertThat(after.containers()).containsExactlyInAnyOrder(runs(), inner);
    List<Recovered> found = recover(after);
    assertThat(found).extracting(Recovered::containerId).containsExactly(runs(), inner);
    assertThat(found).allMatch(Recovered::adopted);
    assertThat(found.get(0).pid()).hasValue(launched.pid());
    assertThat(get(after.status(runs())).getExecutorPid()).isEqualTo((int) launched.pid());
    var usage = get(after.usage(runs())).orElseThrow();
    assertThat(usage.getProcesses()).isPositive();
    assertThat(usage.getCpusSoftLimit()).isEqualTo(0.5);
    assertThat(usage.hasCpusLimit()).isFalse();
    assertThat(usage.getMemLimitBytes()).isEqualTo(32L << 20);

    assertThat(get(after.signal(inner, 15))).isTrue();
    assertThat(get(after.termination(inner)).orElseThrow().signal()).hasValue(15);
    assertThat(alive(nested.pid())).isFalse();
    Files.createFile(folder.resolve("runs/go"));
    assertThat(get(found.get(0).termination()).exitStatus()).hasValue(5);
    Await.until(() -> after.containers().isEmpty());
    assertThat(folder.resolve("run time/containers")).isEmptyDirectory();
  }

  @Test
  void oneThatEndedMeanwhileIsToldWithItsStatus() throws Exception {
    Containerizer before = open();
    Launched launched =
        get(
            before.launch(
                request(folder, runs(), "while [ ! -e go ]; do sleep 0.05; done; exit 7").build()));
    before.detach();
    Files.createFile(folder.resolve("runs/go"));
    Path status = files().resolve("status");
    Await.until(() -> Files.exists(status) && Files.size(status) > 0);

    List<Recovered> found = recover(open());
    assertThat(found).hasSize(1);
    assertThat(found.get(0).adopted()).isFalse();
    assertThat(found.get(0).pid()).hasValue(launched.pid());
    assertThat(get(found.get(0).termination()).exitStatus()).hasValue(7);
  }

  @Test
  void whatNobodyKnowsIsDestroyedWithAllThatIsInIt() throws Exception {
    Containerizer before = open();
    Launched known = get(before.launch(request(folder, runs(), "sleep 1000").build()));
    ContainerId stray = ContainerId.of("stray-" + folder.getFileName());
    Launched unknown = get(before.launch(request(folder, stray, "sleep 1000").build()));
    Launched inUnknown =
        get(before.launch(request(folder, stray.child("in"), "sleep 1000").build()));
    before.detach();

    Containerizer after = open();
    List<Recovered> found = get(after.recover(runs()::equals));
    assertThat(found).hasSize(3);
    Await.until(() -> !alive(unknown.pid()) && !alive(inUnknown.pid()));
    assertThat(alive(known.pid())).isTrue();
    assertThat(after.containers()).containsExactly(runs());
    for (Recovered each : found) {
      assertThat(each.adopted()).isEqualTo(each.containerId().equals(runs()));
      if (!each.adopted()) {
        assertThat(get(each.termination()).signal()).hasValue(9);
      }
    }
  }

  @Test
  void aProcessThatHasThePidMeanwhileIsLeftAlone() throws Exception {
    Containerizer before = open();
    Launched launched = get(before.launch(request(folder, runs(), "sleep 1000").build()));
    before.detach();
    Path pid = files().resolve("pid");
    String[] words = Files.readString(pid).strip().split(" ");
    // The kernel counts starts in hundredths of a second: not in the one of those before it.
    Instant began = ProcessHandle.of(launched.pid()).flatMap(it -> it.info().startInstant()).get();
    Await.until(() -> Instant.now().isAfter(began.plusMillis(100)));
    Process bystander = new ProcessBuilder("sleep", "1000").start();
    try {
      // As it is when both died and other processes were given their pids.
      Files.writeString(
          pid, bystander.pid() + " " + words[1] + " " + bystander.pid() + " " + words[3] + "\n");
      Files.deleteIfExists(files().resolve("cgroup"));
      ProcessHandle.of(launched.pid()).ifPresent(ProcessHandle::destroyForcibly);
      Await.until(() -> !alive(launched.pid()));
      Files.deleteIfExists(files().resolve("status"));
      List<Recovered> found = recover(open());
      assertThat(found.get(0).adopted()).isFalse();
      get(found.get(0).termination());
      assertThat(bystander.isAlive()).isTrue();
    } finally {
      bystander.destroyForcibly();
    }
  }

  @Test
  void howAKeptOneEndedIsKnownUntilItIsRemoved() throws Exception {
    Containerizer before = open();
    get(get(before.launch(request(folder, runs(), "exit 3").kept().build())).termination());
    get(before.destroy(runs()));
    before.detach();

    Containerizer after = open();
    List<Recovered> found = recover(after);
    assertThat(get(found.get(0).termination()).exitStatus()).hasValue(3);
    assertThat(get(after.termination(runs())).orElseThrow().exitStatus()).hasValue(3);
    assertThat(get(after.remove(runs()))).isTrue();
    after.detach();
    assertThat(recover(open())).isEmpty();
  }

  @Test
  void afterARebootNothingRunsWhateverThePidsSay() throws Exception {
    Containerizer before = open();
    Launched launched = get(before.launch(request(folder, runs(), "sleep 1000").build()));
    get(
        before.launch(
            request(folder, ContainerId.of("over-" + folder.getFileName()), "sleep 1000").build()));
    before.detach();
    Files.writeString(
        folder.resolve("run time/containers/over-" + folder.getFileName() + "/status"), "768\n");
    Path log = folder.resolve("run time/containers.log");
    byte[] written = Files.readAllBytes(log);
    String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    int at = new String(written, StandardCharsets.ISO_8859_1).indexOf(boot);
    written[at] ^= 1;
    java.util.zip.CRC32 sum = new java.util.zip.CRC32();
    sum.update(written, at, boot.length());
    java.nio.ByteBuffer.wrap(written).putInt(at - 4, (int) sum.getValue());
    Files.write(log, written);

    List<Recovered> found = recover(open());
    assertThat(found).hasSize(2).noneMatch(Recovered::adopted);
    for (Recovered each : found) {
      // What was written down before is still true.
      assertThat(get(each.termination()).exitStatus().orElse(-1))
          .isEqualTo(each.containerId().equals(runs()) ? -1 : 3);
    }
    assertThat(alive(launched.pid())).as("somebody else's by now").isTrue();
    assertThat(folder.resolve("run time/containers")).isEmptyDirectory();
    ProcessHandle.allProcesses()
        .filter(process -> marked(process.pid()))
        .forEach(ProcessHandle::destroyForcibly);
  }

  private boolean marked(long pid) {
    try {
      String environment =
          Files.readString(Path.of("/proc/" + pid + "/environ"), StandardCharsets.ISO_8859_1);
      return environment.contains("MEZZO_CONTAINER_ID=" + runs() + "\0")
          || environment.contains("MEZZO_CONTAINER_ID=over-" + folder.getFileName() + "\0");
    } catch (IOException e) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 40})
  void aLogThatIsCutOffLosesItsLastEntriesOnly(int bytes) throws Exception {
    Containerizer before = open();
    Launched launched = get(before.launch(request(folder, runs(), "sleep 1000").build()));
    before.detach();
    Path log = folder.resolve("run time/containers.log");
    Files.write(log, new byte[bytes], StandardOpenOption.APPEND);
    List<Recovered> found = recover(open());
    assertThat(found.get(0).adopted()).isTrue();
    assertThat(found.get(0).pid()).hasValue(launched.pid());
  }

  @Test
  void withoutALogAllIsDestroyed() throws Exception {
    Containerizer before = open();
    Launched launched = get(before.launch(request(folder, runs(), "sleep 1000").build()));
    before.detach();
    Files.writeString(folder.resolve("run time/containers.log"), "something else");
    List<Recovered> found = recover(open());
    assertThat(found).hasSize(1).noneMatch(Recovered::adopted);
    assertThat(get(found.get(0).termination()).signal()).hasValue(9);
    Await.until(() -> !alive(launched.pid()));
  }

  /** Where the agent is killed. */
  enum Stage {
    PREPARED,
    ISOLATING,
    RUNNING,
    CLEANING
  }

  /** An isolator in which an agent can be stopped, with a state that is to be kept. */
  private static class Stopping implements Isolator {
    private final Path calls;
    private final Optional<Stage> stage;

    Stopping(Path calls, Optional<Stage> stage) {
      this.calls = calls;
      this.stage = stage;
    }

    private void called(String call, Stage at) throws Exception {
      Files.writeString(calls, call + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      if (at != null && stage.equals(Optional.of(at))) {
        new CountDownLatch(1).await();
      }
    }

    @Override
    public void recover(List<RecoveredContainer> containers) throws Exception {
      for (RecoveredContainer each : containers) {
        String state = new String(each.state(), StandardCharsets.UTF_8);
        called("recover " + each.container() + " " + each.phase() + " " + state, null);
      }
    }

    @Override
    public LaunchPlan prepare(Container container) throws Exception {
      called("prepare", Stage.PREPARED);
      return LaunchPlan.builder().state("kept".getBytes(StandardCharsets.UTF_8)).build();
    }

    @Override
    public void isolate(Container container, long pid) throws Exception {
      called("isolate", Stage.ISOLATING);
    }

    @Override
    public void cleanup(Container container) throws Exception {
      called("cleanup", Stage.CLEANING);
    }
  }

  /** Plays the agent that is killed; lives in a process of its own. */
  public static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      Stage stage = Stage.valueOf(arguments[1]);
      Containerizer containers =
          new FakeAgent(folder)
              .with(
                  Kinds.ISOLATOR,
                  "stopping",
                  new Stopping(folder.resolve("calls"), Optional.of(stage)))
              .containerizer("stopping");
      CompletionStage<Launched> launched =
          containers.launch(
              request(
                      folder,
                      runs(folder),
                      "echo $$ >pid; while [ ! -e go ]; do sleep 0.05; done; exit 4")
                  .kept()
                  .build());
      if (stage == Stage.RUNNING || stage == Stage.CLEANING) {
        get(launched);
      }
      if (stage == Stage.RUNNING) {
        // Launched is what it is before it is let go.
        Path pid = folder.resolve("runs/pid");
        Await.until(() -> Files.exists(pid) && Files.size(pid) > 0);
      }
      if (stage == Stage.CLEANING) {
        Files.createFile(folder.resolve("runs/go"));
      }
      System.out.println("there");
      new CountDownLatch(1).await();
    }
  }

  private void killedAt(Stage stage, String call) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx64m");
    command.addAll(options());
    command.addAll(List.of(FakeAgent.SAME_CGROUPS, "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Victim.class.getName(), folder.toString(), stage.name()));
    Process agent =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("victim.log").toFile())
            .start();
    try {
      Await.until(
          () ->
              Files.exists(folder.resolve("calls"))
                  && Files.readString(folder.resolve("calls")).contains(call)
                  && Files.readString(folder.resolve("victim.log")).contains("there"));
    } finally {
      agent.destroyForcibly();
    }
    assertThat(agent.waitFor(60, TimeUnit.SECONDS)).isTrue();
    Files.delete(folder.resolve("calls"));
  }

  private Containerizer openAfter() throws Exception {
    FakeAgent agent =
        agent()
            .with(
                Kinds.ISOLATOR,
                "stopping",
                new Stopping(folder.resolve("calls"), Optional.empty()));
    return open(agent, "stopping");
  }

  private List<String> calls() throws IOException {
    return Files.readAllLines(folder.resolve("calls"));
  }

  @Test
  void anAgentKilledWhileItPreparesLeavesNothing() throws Exception {
    killedAt(Stage.PREPARED, "prepare");
    Containerizer after = openAfter();
    List<Recovered> found = recover(after);
    assertThat(found).hasSize(1).noneMatch(Recovered::adopted);
    assertThat(found.get(0).pid()).isEmpty();
    assertThat(after.containers()).isEmpty();
    assertThat(folder.resolve("runs/pid")).doesNotExist();
  }

  @Test
  void anAgentKilledWhileItIsolatesGoesOnWithIt() throws Exception {
    killedAt(Stage.ISOLATING, "isolate");
    assertThat(folder.resolve("runs/pid")).doesNotExist();
    List<Recovered> found = recover(openAfter());
    assertThat(found).hasSize(1).allMatch(Recovered::adopted);
    Await.until(() -> Files.exists(folder.resolve("runs/pid")));
    Files.createFile(folder.resolve("runs/go"));
    assertThat(get(found.get(0).termination()).exitStatus()).hasValue(4);
    assertThat(calls())
        .containsExactly("recover " + runs() + " PREPARED kept", "isolate", "cleanup");
  }

  @Test
  void anAgentKilledWhileItRunsAdoptsIt() throws Exception {
    killedAt(Stage.RUNNING, "isolate");
    Path pid = folder.resolve("runs/pid");
    Await.until(() -> Files.exists(pid) && Files.size(pid) > 0);
    List<Recovered> found = recover(openAfter());
    assertThat(found).hasSize(1).allMatch(Recovered::adopted);
    assertThat(found.get(0).pid()).hasValue(Long.parseLong(Files.readString(pid).strip()));
    Files.createFile(folder.resolve("runs/go"));
    assertThat(get(found.get(0).termination()).exitStatus()).hasValue(4);
    assertThat(calls()).containsExactly("recover " + runs() + " ISOLATED kept", "cleanup");
  }

  @Test
  void anAgentKilledWhileItCleansUpDoesItAgain() throws Exception {
    killedAt(Stage.CLEANING, "cleanup");
    Containerizer after = openAfter();
    List<Recovered> found = recover(after);
    assertThat(found).hasSize(1).noneMatch(Recovered::adopted);
    assertThat(get(found.get(0).termination()).exitStatus()).hasValue(4);
    assertThat(calls()).containsExactly("recover " + runs() + " ISOLATED kept", "cleanup");
    assertThat(get(after.termination(runs())).orElseThrow().exitStatus()).hasValue(4);
  }
}
