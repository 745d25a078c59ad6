package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;

/** What containers read and write, and those who are attached to them. */
class StreamsTest {
  private static final ContainerIo.Terminal SCREEN =
      new ContainerIo.Terminal(Optional.of(new ContainerIo.Window(24, 80)));

  @TempDir Path folder;
  private Optional<Containerizer> opened = Optional.empty();

  private Containerizer open(FakeAgent agent, String... isolation) throws Exception {
    Containerizer containerizer = agent.containerizer(isolation);
    opened = Optional.of(containerizer);
    return containerizer;
  }

  private FakeAgent agent() {
    return new FakeAgent(folder).launching(NativeLaunchers.built());
  }

  private FakeAgent shellAgent() {
    return new FakeAgent(folder).launching(LauncherChoice.SHELL);
  }

  @AfterEach
  void close() {
    opened.ifPresent(it -> it.close(Duration.ofSeconds(30)));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private LaunchRequest request(String id, String command, ContainerIo io) {
    return LaunchRequest.builder(
            ContainerId.of(id),
            CommandInfo.newBuilder().setShell(true).setValue(command).build(),
            folder.resolve("sandboxes").resolve(id))
        .environment(Map.of("LC_ALL", "C"))
        .io(io)
        .build();
  }

  private Launched launch(String id, String command, ContainerIo io) throws Exception {
    return get(opened.orElseThrow().launch(request(id, command, io)));
  }

  private Path sandbox(String id) {
    return folder.resolve("sandboxes").resolve(id);
  }

  /** Keeps what it gets, and takes the next when it is let. */
  private static final class Kept implements OutputSink {
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    final CompletableFuture<Optional<String>> ended = new CompletableFuture<>();
    final CompletableFuture<Void> gate;

    Kept(CompletableFuture<Void> gate) {
      this.gate = gate;
    }

    Kept() {
      this(CompletableFuture.completedFuture(null));
    }

    @Override
    public synchronized CompletionStage<?> data(ContainerIo.Stream stream, ByteBuffer bytes) {
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      (stream == ContainerIo.Stream.STDOUT ? output : errors).writeBytes(copy);
      return gate;
    }

    @Override
    public void ended(Optional<String> problem) {
      if (!ended.complete(problem)) {
        throw new AssertionError("ended twice");
      }
    }

    synchronized String text() {
      return output.toString(StandardCharsets.UTF_8);
    }

    synchronized String errors() {
      return errors.toString(StandardCharsets.UTF_8);
    }

    synchronized int size() {
      return output.size();
    }
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private AttachException.Reason refusal(CompletionStage<?> stage) {
    try {
      get(stage);
      throw new AssertionError("somebody was attached");
    } catch (Exception e) {
      assertThat(e).hasCauseInstanceOf(AttachException.class);
      return ((AttachException) e.getCause()).reason();
    }
  }

  @Test
  void aSessionLosesNothingHoweverShortItIs() throws Exception {
    Containerizer containers = open(agent());
    for (int i = 0; i < 20; i++) {
      Launched launched = launch("s" + i, "echo out; echo err >&2; exit 3", ContainerIo.SESSION);
      Kept kept = new Kept();
      get(containers.attachOutput(launched.containerId(), kept));
      assertThat(get(kept.ended)).isEmpty();
      assertThat(kept.text()).isEqualTo("out\n");
      assertThat(kept.errors()).isEqualTo("err\n");
      assertThat(get(launched.termination()).exitStatus()).hasValue(3);
      assertThat(sandbox("s" + i).resolve("stdout")).isEmptyFile();
    }
  }

  @Test
  void inputIsReadInOrderAndEnds() throws Exception {
    Containerizer containers = open(agent());
    Launched launched = launch("c", "cat", ContainerIo.SESSION);
    Kept kept = new Kept();
    get(containers.attachOutput(launched.containerId(), kept));
    ContainerInput input = get(containers.attachInput(launched.containerId()));
    StringBuilder all = new StringBuilder();
    List<CompletionStage<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      all.append("line ").append(i).append('\n');
      writes.add(input.write(bytes("line " + i + "\n")));
    }
    byte[] large = new byte[300_000];
    writes.add(input.write(ByteBuffer.wrap(large)));
    for (CompletionStage<Void> write : writes) {
      get(write);
    }
    get(input.end());
    assertThat(get(kept.ended)).isEmpty();
    assertThat(kept.text()).startsWith(all.toString()).hasSize(all.length() + large.length);
    assertThat(get(launched.termination()).succeeded()).isTrue();
    get(input.closed());
    assertThatThrownBy(() -> get(input.write(bytes("more")))).hasCauseInstanceOf(IOException.class);
  }

  @Test
  void whoWritesMoreThanMayWaitIsTold() throws Exception {
    Containerizer containers = open(agent());
    Launched launched = launch("c", "exec sleep 1000", ContainerIo.ATTACHABLE);
    ContainerInput input = get(containers.attachInput(launched.containerId()));
    CompletionStage<Void> first = input.write(ByteBuffer.allocate(ContainerInput.WAITING_MOST));
    assertThatThrownBy(() -> get(input.write(ByteBuffer.allocate(1))))
        .hasCauseInstanceOf(IllegalStateException.class);
    assertThat(first.toCompletableFuture()).isNotDone();
    get(containers.destroy(launched.containerId()));
    assertThatThrownBy(() -> get(first)).hasCauseInstanceOf(IOException.class);
  }

  @Test
  void aTerminalHasAWindowAndInterrupts() throws Exception {
    Containerizer containers = open(agent());
    String command =
        "stty size; echo $TERM; trap 'stty size' WINCH; trap 'echo interrupted; exit 5' INT;"
            + " echo ready; while sleep 0.02; do :; done";
    Launched launched = launch("t", command, ContainerIo.SESSION.on(SCREEN));
    Kept kept = new Kept();
    get(containers.attachOutput(launched.containerId(), kept));
    ContainerInput input = get(containers.attachInput(launched.containerId()));
    Await.until(() -> kept.text().contains("ready\r\n"));
    assertThat(kept.text()).startsWith("24 80\r\nxterm\r\n");
    get(input.resize(new ContainerIo.Window(50, 132)));
    Await.until(() -> kept.text().contains("50 132\r\n"));
    get(input.write(bytes("\003")));
    assertThat(get(kept.ended)).isEmpty();
    assertThat(kept.text()).contains("interrupted\r\n");
    assertThat(get(launched.termination()).exitStatus()).hasValue(5);
  }

  @Test
  void whatIsAttachableIsKeptInFilesToo() throws Exception {
    Containerizer containers = open(agent());
    Launched launched =
        launch("a", "read x; echo got $x; tty || true", ContainerIo.FILES.on(SCREEN));
    Kept first = new Kept();
    Kept second = new Kept();
    get(containers.attachOutput(launched.containerId(), first));
    get(containers.attachOutput(launched.containerId(), second));
    ContainerInput input = get(containers.attachInput(launched.containerId()));
    get(input.write(bytes("it\n")));
    assertThat(get(first.ended)).isEmpty();
    assertThat(get(second.ended)).isEmpty();
    assertThat(first.text()).contains("got it\r\n").isEqualTo(second.text());
    assertThat(Files.readString(sandbox("a").resolve("stdout"))).isEqualTo(first.text());
    get(launched.termination());
  }

  /** One who does not take what comes holds neither the container nor others, nor the agent. */
  @Test
  void aSlowReaderHoldsNobodyElse() throws Exception {
    Containerizer containers = open(agent());
    Launched launched = launch("f", "head -c 20000000 /dev/zero; echo over", ContainerIo.SESSION);
    CompletableFuture<Void> never = new CompletableFuture<>();
    Kept slow = new Kept(never);
    get(containers.attachOutput(launched.containerId(), slow));
    Kept quick = new Kept();
    get(containers.attachOutput(launched.containerId(), quick));
    assertThat(get(quick.ended)).isEmpty();
    assertThat(get(launched.termination()).succeeded()).isTrue();
    assertThat(slow.size()).isLessThanOrEqualTo(65_536);
    never.complete(null);
    assertThat(get(slow.ended).orElseThrow()).contains("too far behind");
  }

  @Test
  void whoReadsAloneHoldsASession() throws Exception {
    Containerizer containers = open(agent());
    Launched launched = launch("h", "head -c 20000000 /dev/zero", ContainerIo.SESSION);
    CompletableFuture<Void> gate = new CompletableFuture<>();
    Kept slow = new Kept(gate);
    get(containers.attachOutput(launched.containerId(), slow));
    Await.until(() -> slow.size() > 0);
    assertThat(launched.termination().toCompletableFuture()).isNotDone();
    gate.complete(null);
    assertThat(get(slow.ended)).isEmpty();
    assertThat(slow.size()).isEqualTo(20_000_000);
  }

  @Test
  void whoMayNotAttachIsToldWhy() throws Exception {
    Containerizer containers = open(agent());
    Launched plain = launch("p", "exec sleep 1000", ContainerIo.FILES);
    assertThat(refusal(containers.attachOutput(plain.containerId(), new Kept())))
        .isEqualTo(AttachException.Reason.NOT_ATTACHABLE);
    assertThat(refusal(containers.attachInput(ContainerId.of("nobody"))))
        .isEqualTo(AttachException.Reason.UNKNOWN);
    Launched open = launch("o", "exec sleep 1000", ContainerIo.ATTACHABLE);
    ContainerInput input = get(containers.attachInput(open.containerId()));
    assertThat(refusal(containers.attachInput(open.containerId())))
        .isEqualTo(AttachException.Reason.BUSY);
    assertThatThrownBy(() -> get(input.resize(new ContainerIo.Window(1, 1))))
        .hasMessageContaining("no terminal");
    input.close();
    Await.until(
        () -> {
          try {
            get(containers.attachInput(open.containerId()));
            return true;
          } catch (java.util.concurrent.ExecutionException e) {
            return false;
          }
        });
    List<Kept> many = new ArrayList<>();
    for (int i = 0; i < 15; i++) {
      many.add(new Kept());
      get(containers.attachOutput(open.containerId(), many.get(i)));
    }
    assertThat(refusal(containers.attachOutput(open.containerId(), new Kept())))
        .isEqualTo(AttachException.Reason.BUSY);
    get(containers.destroy(open.containerId()));
    for (Kept each : many) {
      assertThat(get(each.ended)).isEmpty();
    }
    assertThat(refusal(containers.attachOutput(open.containerId(), new Kept())))
        .isEqualTo(AttachException.Reason.UNKNOWN);
  }

  @Test
  void oneThatIsDetachedHearsNoMore() throws Exception {
    Containerizer containers = open(agent());
    Launched launched = launch("d", "while sleep 0.02; do echo tick; done", ContainerIo.ATTACHABLE);
    Kept kept = new Kept();
    Attachment attachment = get(containers.attachOutput(launched.containerId(), kept));
    Await.until(() -> kept.text().contains("tick"));
    attachment.close();
    assertThat(get(kept.ended)).isEmpty();
    int heard = kept.size();
    Kept other = new Kept();
    get(containers.attachOutput(launched.containerId(), other));
    Await.until(() -> other.text().contains("tick\ntick"));
    assertThat(kept.size()).isEqualTo(heard);
    containers.detach();
    assertThat(get(other.ended).orElseThrow()).contains("agent is stopping");
    opened = Optional.empty();
    open(agent());
    get(opened.get().recover(id -> false));
  }

  @Test
  void theNextAgentAttachesToWhatRuns() throws Exception {
    open(agent());
    launch("r", "while read x; do echo got $x; done; echo end", ContainerIo.FILES.on(SCREEN));
    opened.get().detach();
    Containerizer next = open(agent());
    ContainerId id = ContainerId.of("r");
    assertThat(refusal(next.attachInput(id))).isEqualTo(AttachException.Reason.UNAVAILABLE);
    get(next.recover(kept -> true));
    Kept kept = new Kept();
    get(next.attachOutput(id, kept));
    ContainerInput input = get(next.attachInput(id));
    get(input.write(bytes("it\n")));
    Await.until(() -> kept.text().contains("got it\r\n"));
    get(input.end());
    get(input.write(bytes("that\n")));
    Await.until(() -> kept.text().contains("got that\r\n"));
    get(input.write(bytes("\004")));
    assertThat(get(kept.ended)).isEmpty();
    assertThat(kept.text()).endsWith("end\r\n");
  }

  @Test
  void anIsolatorCanAskForATerminal() throws Exception {
    Isolator isolator =
        new Isolator() {
          @Override
          public LaunchPlan prepare(org.mezzo.api.isolator.Container container) {
            return LaunchPlan.builder().tty().build();
          }

          @Override
          public void recover(List<org.mezzo.api.isolator.RecoveredContainer> containers) {}

          @Override
          public void isolate(org.mezzo.api.isolator.Container container, long pid) {}

          @Override
          public void cleanup(org.mezzo.api.isolator.Container container) {}
        };
    open(agent().with(Kinds.ISOLATOR, "screen", isolator), "screen");
    get(launch("i", "tty", ContainerIo.FILES).termination());
    assertThat(sandbox("i").resolve("stdout")).content().startsWith("/dev/pts/");
  }

  // The logger.

  private static ContainerLogger rotating(long bytes, int older) {
    LogPlan.Rotation rotation = new LogPlan.Rotation(bytes, older);
    return (container, environment) -> LogPlan.rotated(rotation, rotation);
  }

  private static final String LINES =
      "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo err >&2";

  @Test
  void aLoggerHasFilesRotated() throws Exception {
    open(agent().with(Kinds.CONTAINER_LOGGER, "small", rotating(4096, 100)).logging("small", true));
    assertThat(get(launch("l", LINES, ContainerIo.FILES).termination()).succeeded()).isTrue();
    int files = 0;
    while (Files.exists(sandbox("l").resolve("stdout." + (files + 1)))) {
      files++;
    }
    List<String> lines = new ArrayList<>();
    for (int file = files; file >= 0; file--) {
      Path path = sandbox("l").resolve(file == 0 ? "stdout" : "stdout." + file);
      assertThat(Files.size(path)).isLessThanOrEqualTo(4096);
      lines.addAll(Files.readAllLines(path));
    }
    assertThat(files).isGreaterThan(3);
    assertThat(lines).hasSize(2000).startsWith("line 0").endsWith("line 1999");
    assertThat(sandbox("l").resolve("stderr")).hasContent("err");
    get(launch("p", LINES, ContainerIo.PLAIN).termination());
    assertThat(Files.readAllLines(sandbox("p").resolve("stdout"))).hasSize(2000);
  }

  /** Whoever shares a sandbox does not rotate the files of another. */
  @Test
  void thoseInTheSandboxOfAnotherOnlyAppend() throws Exception {
    Containerizer containers =
        open(
            agent()
                .with(Kinds.CONTAINER_LOGGER, "small", rotating(4096, 3))
                .logging("small", true));
    Launched outer = launch("o", "exec sleep 1000", ContainerIo.FILES);
    LaunchRequest inner =
        LaunchRequest.builder(
                outer.containerId().child("debug"),
                CommandInfo.newBuilder().setShell(true).setValue(LINES).build(),
                sandbox("o"))
            .build();
    get(get(containers.launch(inner)).termination());
    assertThat(Files.readAllLines(sandbox("o").resolve("stdout"))).hasSize(2000);
    assertThat(sandbox("o").resolve("stdout.1")).doesNotExist();
  }

  private static ContainerLogger helped(String command) {
    // With all of the container's variables, among them the mark by which its processes are known.
    return (container, environment) ->
        LogPlan.FILES.withOutputHelper(
            new LogPlan.Helper(Path.of("/bin/sh"), List.of("-c", command), environment));
  }

  @Test
  void aLoggerHasAProgramReadOutput() throws Exception {
    open(
        agent()
            .with(
                Kinds.CONTAINER_LOGGER,
                "program",
                helped("env >variables; cat >part; mv part read"))
            .logging("program", true));
    assertThat(get(launch("h", LINES, ContainerIo.FILES).termination()).succeeded()).isTrue();
    Path read = sandbox("h").resolve("read");
    Await.until(() -> Files.exists(read));
    assertThat(Files.readAllLines(read)).hasSize(2000).endsWith("line 1999");
    assertThat(sandbox("h").resolve("variables"))
        .content()
        .contains("LC_ALL=C\n")
        .doesNotContain("MEZZO_CONTAINER_ID");
    assertThat(sandbox("h").resolve("stdout")).isEmptyFile();
    assertThat(sandbox("h").resolve("stderr")).hasContent("err");
  }

  /** A container that is killed takes none of its readers with it. */
  @Test
  void whatIsReadBeforeAKillIsRead() throws Exception {
    Containerizer containers =
        open(
            agent()
                .with(
                    Kinds.CONTAINER_LOGGER, "program", helped("cat >part; sleep 0.3; mv part read"))
                .logging("program", true));
    Launched launched = launch("k", "echo it; echo >there; exec sleep 1000", ContainerIo.FILES);
    Await.until(() -> Files.exists(sandbox("k").resolve("there")));
    get(containers.destroy(launched.containerId()));
    Path read = sandbox("k").resolve("read");
    Await.until(() -> Files.exists(read));
    assertThat(read).hasContent("it");
  }

  @Test
  void aProgramThatIsNotThereFailsTheLaunchByItsName() throws Exception {
    ContainerLogger missing =
        (container, environment) ->
            LogPlan.FILES.withErrorsHelper(
                new LogPlan.Helper(Path.of("/nowhere/logger"), List.of(), Map.of()));
    open(agent().with(Kinds.CONTAINER_LOGGER, "missing", missing).logging("missing", true));
    assertThatThrownBy(() -> launch("m", "true", ContainerIo.FILES))
        .hasMessageContaining("cannot run the output helper '/nowhere/logger': No such file");
  }

  @Test
  void aLoggerThatIsMissingOrFailsRefusesLaunches() throws Exception {
    ContainerLogger broken =
        (container, environment) -> {
          throw new IOException("no room");
        };
    Containerizer containers =
        open(agent().with(Kinds.CONTAINER_LOGGER, "broken", broken).logging("broken", true));
    assertThatThrownBy(() -> launch("b", "true", ContainerIo.FILES))
        .hasMessageContaining("Container logger 'broken' failed: no room");
    containers.selectLogging(new ContainerizerOptions.Logging(Optional.of("nowhere"), true));
    Await.until(
        () -> {
          try {
            get(get(containers.launch(request("n", "true", ContainerIo.FILES))).termination());
            return false;
          } catch (java.util.concurrent.ExecutionException e) {
            return e.getMessage().contains("'nowhere' is not available");
          }
        });
    containers.selectLogging(new ContainerizerOptions.Logging(Optional.of("sandbox"), true));
    Await.until(
        () -> {
          try {
            get(get(containers.launch(request("s", "true", ContainerIo.FILES))).termination());
            return true;
          } catch (java.util.concurrent.ExecutionException e) {
            return false;
          }
        });
  }

  // The shell.

  @Test
  void theShellRefusesByNameWhatItCannotDo() throws Exception {
    open(
        shellAgent()
            .with(Kinds.CONTAINER_LOGGER, "small", rotating(4096, 3))
            .logging("small", true));
    assertThatThrownBy(() -> launch("s", "true", ContainerIo.SESSION))
        .hasMessageContaining("cannot do 'attach', which container 's' needs");
    assertThatThrownBy(() -> launch("t", "true", ContainerIo.SESSION.on(SCREEN)))
        .hasMessageContaining("cannot do 'attach', 'terminal'");
    assertThatThrownBy(() -> launch("r", "true", ContainerIo.FILES))
        .hasMessageContaining(
            "cannot do 'rotation', which container logger 'small' needs; take the native launcher");
    assertThat(sandbox("s")).doesNotExist();
    Launched plain = launch("p", "exec sleep 1000", ContainerIo.PLAIN);
    assertThat(refusal(opened.get().attachInput(plain.containerId())))
        .isEqualTo(AttachException.Reason.NOT_ATTACHABLE);
  }

  @Test
  void theShellHasNoProgramReadOutput() throws Exception {
    open(
        shellAgent()
            .with(Kinds.CONTAINER_LOGGER, "program", helped("cat >read"))
            .logging("program", true));
    assertThatThrownBy(() -> launch("h", "true", ContainerIo.FILES))
        .hasMessageContaining("cannot do 'output-helper', which container logger 'program' needs");
  }

  @Test
  void theShellGoesWithoutALoggerThatNobodyHasAskedFor() throws Exception {
    open(
        shellAgent()
            .with(Kinds.CONTAINER_LOGGER, "small", rotating(4096, 3))
            .logging("small", false));
    get(launch("d", LINES, ContainerIo.FILES).termination());
    assertThat(Files.readAllLines(sandbox("d").resolve("stdout"))).hasSize(2000);
  }

  @Test
  void nothingThatCannotBeIsDescribed() {
    assertThat(ContainerIo.FILES.on(SCREEN).attachable()).isTrue();
    assertThatThrownBy(
            () ->
                new ContainerIo(
                    Optional.empty(), ContainerIo.Reach.NOBODY, ContainerIo.Keeping.NOTHING))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new ContainerIo.Window(65_536, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("65536 rows");
    assertThatThrownBy(() -> new LogPlan.Rotation(4095, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
