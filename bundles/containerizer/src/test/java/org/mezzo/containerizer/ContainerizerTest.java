package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.Sink;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.resources.Resources;

class ContainerizerTest {
  @TempDir Path folder;
  private Containerizer containerizer;

  @AfterEach
  void close() {
    if (containerizer != null) {
      containerizer.close(Duration.ofSeconds(5));
    }
  }

  /** The agent, with the launcher that is tried. */
  FakeAgent agent() {
    return new FakeAgent(folder);
  }

  private void open(String... isolation) throws Exception {
    containerizer = agent().containerizer(isolation);
  }

  private LaunchRequest request(CommandInfo command, Map<String, String> environment) {
    String id = UUID.randomUUID().toString();
    return LaunchRequest.builder(
            ContainerId.of(id), command, folder.resolve("sand box").resolve(id))
        .environment(environment)
        .build();
  }

  private static CommandInfo shell(String text) {
    return CommandInfo.newBuilder().setShell(true).setValue(text).build();
  }

  private static <T> T get(java.util.concurrent.CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private Termination run(LaunchRequest request) throws Exception {
    return get(get(containerizer.launch(request)).termination());
  }

  private static boolean alive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  private static String output(LaunchRequest request, String name) throws IOException {
    return Files.readString(request.sandbox().resolve(name));
  }

  @Test
  void nothingStartsBeforeWhoWantsToHasLookedAtTheSandboxUnlessItIsDestroyed() throws Exception {
    FakeAgent agent = agent();
    CompletableFuture<Path> asked = new CompletableFuture<>();
    CompletableFuture<Void> looked = new CompletableFuture<>();
    AtomicBoolean forgetful = new AtomicBoolean();
    AfterFetch afterFetch =
        new AfterFetch() {
          @Override
          public boolean isEmpty() {
            return false;
          }

          @Override
          public CompletionStage<?> fetched(ContainerId container, Path sandbox) {
            asked.complete(sandbox);
            return forgetful.get() ? new CompletableFuture<>() : looked;
          }
        };
    containerizer =
        Containerizer.open(
            new ContainerizerHost(agent, agent.modules.of(agent), afterFetch), agent.options());
    LaunchRequest request = request(shell("cat seen"), Map.of());
    CompletionStage<Launched> launched = containerizer.launch(request);
    assertThat(get(asked)).isEqualTo(request.sandbox());
    assertThat(launched.toCompletableFuture()).isNotDone();
    Files.writeString(request.sandbox().resolve("seen"), "by me");
    looked.completeExceptionally(new IllegalStateException("which does not matter"));
    get(get(launched).termination());
    assertThat(output(request, "stdout")).isEqualTo("by me");

    forgetful.set(true);
    LaunchRequest unwanted = request(shell("echo never"), Map.of());
    CompletionStage<Launched> never = containerizer.launch(unwanted);
    get(containerizer.destroy(unwanted.containerId()));
    assertThatThrownBy(() -> get(never)).hasMessageContaining("destroyed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/bin/sh", "/bin/dash", "/bin/bash"})
  void tellsAnExitFromASignal(String shell) throws Exception {
    assumeTrue(Files.isExecutable(Path.of(shell)), shell + " is not installed");
    containerizer = withShell(Path.of(shell));
    for (int status : new int[] {0, 1, 3, 127, 128, 129, 130, 137, 139, 141, 143, 255}) {
      Termination end = run(request(shell("exit " + status), Map.of()));
      assertThat(end.waitStatus()).as("exit %d", status).hasValue(status << 8);
      assertThat(end.describe()).isEqualTo("exited with status " + status);
    }
    for (int signal : new int[] {1, 2, 3, 6, 9, 11, 13, 15, 34}) {
      if (signal == 3 && !shell.endsWith("dash")) {
        continue; // bash itself ignores SIGQUIT
      }
      Termination end = run(request(shell("ulimit -c 0; kill -s " + signal + " $$"), Map.of()));
      assertThat(end.signal()).as("signal %d", signal).hasValue(signal);
      assertThat(end.exitStatus()).isEmpty();
    }
  }

  @Test
  void wordsOfTheEnd() {
    assertThat(Termination.of(9).describe()).isEqualTo("terminated with signal Killed");
    assertThat(Termination.of(15).describe()).isEqualTo("terminated with signal Terminated");
    assertThat(Termination.of(11 | 0x80).describe())
        .isEqualTo("terminated with signal Segmentation fault (core dumped)");
    assertThat(Termination.of(3 << 8).describe()).isEqualTo("exited with status 3");
    assertThat(Termination.of(0).succeeded()).isTrue();
    assertThat(Termination.UNKNOWN.exitStatus()).isEqualTo(OptionalInt.empty());
  }

  @Test
  void writesStdoutAndStderrIntoTheSandboxUnchanged() throws Exception {
    open();
    LaunchRequest request =
        request(
            shell("printf '\\000\\001\\377\\n'; echo to stderr >&2; pwd; id -u >/dev/null"),
            Map.of());
    assertThat(run(request).succeeded()).isTrue();
    byte[] bytes = Files.readAllBytes(request.sandbox().resolve("stdout"));
    assertThat(bytes).startsWith(0, 1, 0xff, '\n');
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
        .endsWith(request.sandbox().toRealPath() + "\n");
    assertThat(output(request, "stderr")).isEqualTo("to stderr\n");
  }

  @Test
  void passesEnvironmentAndArgumentsAsTheyAre() throws Exception {
    open();
    StringBuilder wild = new StringBuilder("it's \"q\" `x` $(y) ${z} \\ \n\ttab * ? [a] ~ # ; & |");
    for (int c = 1; c < 0x180; c++) {
      wild.append((char) c);
    }
    wild.append("\u20ac\ud83d\ude00");
    String value = wild.toString();
    LaunchRequest request =
        request(
            CommandInfo.newBuilder()
                .setShell(false)
                .setValue("/bin/sh")
                .addArguments("sh")
                .addArguments("-c")
                .addArguments("printf %s \"$1\" >one; printf %s \"$WILD\" >two; env >three")
                .addArguments("sh")
                .addArguments(value)
                .build(),
            Map.of("WILD", value, "with.dot", "1", "EMPTY", "", "A", "=x"));
    assertThat(run(request).succeeded()).isTrue();
    assertThat(output(request, "one")).isEqualTo(value);
    assertThat(output(request, "two")).isEqualTo(value);
    assertThat(output(request, "three").lines())
        .contains("EMPTY=", "A==x")
        .noneMatch(line -> line.startsWith("LC_ALL="));
  }

  /** Names that shells treat in their own ways, or refuse. */
  private static final Map<String, String> ODD_NAMES =
      Map.ofEntries(
          Map.entry("UID", "no number"),
          Map.entry("OPTIND", "x"),
          Map.entry("LINENO", "y"),
          Map.entry("RANDOM", "z"),
          Map.entry("SHLVL", "seven"),
          Map.entry("PWD", "/nowhere"),
          Map.entry("BASHOPTS", "b"),
          Map.entry("LC_ALL", "C"),
          Map.entry("LD_LIBRARY_PATH", "/nonexistent"),
          Map.entry("IFS", "x"),
          Map.entry("dir", "/tmp"),
          Map.entry("with.dot", "1"),
          Map.entry("with-dash", "2"),
          Map.entry("1", "digit"),
          Map.entry("lower_Case9", "ok"));

  @ParameterizedTest
  @CsvSource({"/bin/dash,", "/bin/bash,", "/bin/dash,nobody", "/bin/bash,nobody"})
  void theEnvironmentIsExactlyWhatWasAskedFor(String shell, String user) throws Exception {
    assumeTrue(Files.isExecutable(Path.of(shell)), shell + " is not installed");
    assumeTrue(
        user == null || "root".equals(System.getProperty("user.name")),
        "only root can switch users");
    containerizer = withShell(Path.of(shell));
    Path open = openFolder();
    try {
      LaunchRequest request =
          as(
              request(
                  CommandInfo.newBuilder()
                      .setShell(false)
                      .setValue("cat")
                      .addArguments("cat")
                      .addArguments("/proc/self/environ")
                      .build(),
                  ODD_NAMES),
              user,
              open.resolve("s"));
      assertThat(run(request).succeeded()).as(output(request, "stderr")).isTrue();
      Map<String, String> seen = new java.util.HashMap<>();
      for (String variable : output(request, "stdout").split("\0")) {
        int equals = variable.indexOf('=');
        seen.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
      Map<String, String> expected = new java.util.HashMap<>(ODD_NAMES);
      expected.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
      expected.put("MEZZO_CONTAINER_ID", request.containerId().value());
      assertThat(seen).isEqualTo(expected);
    } finally {
      containerizer.close();
      delete(open);
    }
  }

  @ParameterizedTest
  @CsvSource({"''", "nobody"})
  void noArgumentOfAProcessShowsTheEnvironment(String user) throws Exception {
    assumeTrue(
        user.isEmpty() || "root".equals(System.getProperty("user.name")),
        "only root can switch users");
    open();
    Path open = openFolder();
    String secret = "secret-" + UUID.randomUUID();
    java.util.Set<String> seen = java.util.concurrent.ConcurrentHashMap.newKeySet();
    java.util.concurrent.atomic.AtomicBoolean over =
        new java.util.concurrent.atomic.AtomicBoolean();
    Thread spy =
        new Thread(
            () -> {
              while (!over.get()) {
                ProcessHandle.allProcesses()
                    .map(process -> commandLine(process.pid()))
                    .filter(line -> line.contains(secret))
                    .forEach(seen::add);
              }
            });
    spy.start();
    try {
      for (int i = 0; i < 60; i++) {
        LaunchRequest request =
            as(
                request(
                    shell("test \"$SECRET\" = \"$(cat ../expected)\""), Map.of("SECRET", secret)),
                user,
                open.resolve("s" + i));
        Files.writeString(open.resolve("expected"), secret);
        assertThat(run(request).succeeded()).isTrue();
      }
    } finally {
      over.set(true);
      spy.join();
      containerizer.close();
      delete(open);
    }
    assertThat(seen).isEmpty();
  }

  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private Containerizer withShell(Path shell) throws IOException {
    FakeAgent agent = agent();
    ContainerizerOptions o = agent.options();
    return Containerizer.open(
        agent.host(),
        new ContainerizerOptions(
            o.isolation(),
            o.switchUser(),
            o.cgroups(),
            o.fetching(),
            shell,
            o.launcher(),
            o.logging(),
            o.secretResolver()));
  }

  private static LaunchRequest as(LaunchRequest plain, String user, Path sandbox) {
    return LaunchRequest.builder(plain.containerId(), plain.command(), sandbox)
        .environment(plain.environment())
        .user(Optional.ofNullable(user))
        .resources(plain.resources(), plain.limits())
        .info(plain.info())
        .build();
  }

  /** A folder that everybody may enter, as a work directory is and that of a test is not. */
  private static Path openFolder() throws IOException {
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-user");
    return Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"''", "nobody"})
  void sandboxesAreClosedToOtherUsers(String user) throws Exception {
    assumeTrue(
        user.isEmpty() || "root".equals(System.getProperty("user.name")),
        "only root can switch users");
    open();
    Path open = openFolder();
    try {
      LaunchRequest request = as(request(shell("id -g"), Map.of()), user, open.resolve("s"));
      assertThat(run(request).succeeded()).isTrue();
      for (String name : List.of("", "stdout", "stderr")) {
        Path path = request.sandbox().resolve(name);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
            .as(name)
            .isEqualTo(name.isEmpty() ? "rwxr-x---" : "rw-r-----");
        assertThat(Files.getAttribute(path, "unix:gid"))
            .as("group of %s", name)
            .hasToString(output(request, "stdout").strip());
      }
    } finally {
      containerizer.close();
      delete(open);
    }
  }

  @Test
  void saysWhichFolderKeepsTheUserOut() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    open();
    Path open = openFolder();
    try {
      Path closed = Files.createDirectory(open.resolve("closed"));
      Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwxr-x---"));
      LaunchRequest request =
          as(request(shell("true"), Map.of()), "nobody", closed.resolve("below").resolve("s"));
      assertThatThrownBy(() -> run(request))
          .hasRootCauseInstanceOf(LaunchException.class)
          .hasMessageContaining("The task's user 'nobody' cannot enter '" + closed + "'")
          .hasMessageContaining("mode 0750")
          .hasMessageContaining("chmod o+x");
      Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwxr-x--x"));
      assertThat(
              run(as(request(shell("true"), Map.of()), "nobody", closed.resolve("t"))).succeeded())
          .isTrue();
    } finally {
      containerizer.close();
      delete(open);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"root", "0", "+0", "00", ""})
  void runsNothingAsRootWhereThatIsNotAllowed(String user) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only a root agent can");
    open();
    LaunchRequest plain = request(shell("id -u"), Map.of());
    LaunchRequest refused =
        LaunchRequest.builder(plain.containerId(), plain.command(), plain.sandbox())
            .environment(plain.environment())
            .user(Optional.of(user))
            .resources(plain.resources(), plain.limits())
            .info(plain.info())
            .rootAllowed(false)
            .build();
    assertThatThrownBy(() -> run(refused)).hasRootCauseInstanceOf(LaunchException.class);
    assertThat(plain.sandbox().resolve("stdout")).doesNotExist();
  }

  @Test
  void runsAProgramWithoutAShell() throws Exception {
    open();
    LaunchRequest request =
        request(
            CommandInfo.newBuilder()
                .setShell(false)
                .setValue("echo")
                .addArguments("echo")
                .addArguments("a b")
                .addArguments("$HOME")
                .build(),
            Map.of());
    assertThat(run(request).succeeded()).isTrue();
    assertThat(output(request, "stdout")).isEqualTo("a b $HOME\n");
  }

  @Test
  void theFirstArgumentIsTheNameThatAProgramSees() throws Exception {
    open();
    Path equals =
        Files.copy(Path.of("/bin/sh"), folder.resolve("a=b"), StandardCopyOption.COPY_ATTRIBUTES);
    for (String program : List.of("/bin/sh", "sh", equals.toString())) {
      for (String name : List.of("mysh", "it's a \"name\" $HOME", "x=y", "")) {
        LaunchRequest request =
            request(
                CommandInfo.newBuilder()
                    .setShell(false)
                    .setValue(program)
                    .addArguments(name)
                    .addArguments("-c")
                    .addArguments("tr '\\0' '|' </proc/$$/cmdline; echo; env")
                    .build(),
                Map.of("MINE", "1"));
        assertThat(run(request).succeeded()).as("%s as %s", program, name).isTrue();
        List<String> lines = output(request, "stdout").lines().toList();
        assertThat(lines.get(0)).startsWith(name + "|-c|");
        assertThat(lines).contains("MINE=1").noneMatch(line -> line.startsWith("OLDPWD="));
      }
    }
  }

  @Test
  void anUnknownProgramFails() throws Exception {
    open();
    LaunchRequest request =
        request(
            CommandInfo.newBuilder().setShell(false).setValue("/no/such/program").build(),
            Map.of());
    assertThat(run(request).exitStatus()).hasValue(127);
    assertThat(output(request, "stderr")).contains("/no/such/program");
  }

  @Test
  void aMistakeInOneLaunchFailsThatLaunch() throws Exception {
    open();
    Path broken =
        (Path)
            Proxy.newProxyInstance(
                Path.class.getClassLoader(),
                new Class<?>[] {Path.class},
                (proxy, method, arguments) -> {
                  throw new NoClassDefFoundError("on purpose");
                });
    // More often than there are workers: none of them is lost either.
    for (int i = 0; i < 10; i++) {
      LaunchRequest request =
          LaunchRequest.builder(ContainerId.of("broken-" + i), shell("true"), broken).build();
      assertThatThrownBy(() -> run(request))
          .hasRootCauseInstanceOf(NoClassDefFoundError.class)
          .hasMessageContaining("Preparing the container failed: ")
          .hasMessageContaining("on purpose");
    }
    assertThat(containerizer.containers()).isEmpty();
    assertThat(run(request(shell("true"), Map.of())).succeeded()).isTrue();
  }

  @Test
  void refusesNulAndMissingCommands() throws Exception {
    open();
    assertThatThrownBy(() -> run(request(shell("echo \0"), Map.of())))
        .hasRootCauseInstanceOf(LaunchException.class)
        .hasMessageContaining("NUL");
    assertThatThrownBy(
            () -> run(request(CommandInfo.newBuilder().setShell(false).build(), Map.of())))
        .hasMessageContaining("neither a shell command nor a program");
    assertThat(containerizer.containers()).isEmpty();
  }

  @Test
  void theFirstProcessLeadsItsOwnSessionAndDoesNotIgnoreSignals() throws Exception {
    open();
    LaunchRequest request =
        request(
            shell("read -r a </proc/self/stat; echo $a; grep SigIgn /proc/self/status"), Map.of());
    Launched launched = get(containerizer.launch(request));
    get(containerizer.destroy(request.containerId()).thenApply(x -> true));
    // The destroy may come first; what counts is read from a second run.
    LaunchRequest again = request(request.command(), Map.of());
    run(again);
    String[] lines = output(again, "stdout").split("\n");
    String[] fields = lines[0].split(" ");
    assertThat(fields[4]).as("group").isEqualTo(fields[0]);
    assertThat(fields[5]).as("session").isEqualTo(fields[0]);
    long ignored = Long.parseLong(lines[1].substring(7).trim(), 16);
    assertThat(ignored & 0x7fff_ffffL).as("ignored signals 1 to 31").isZero();
    assertThat(launched.pid()).isPositive();
  }

  @Test
  void aKillReachesWhatIgnoresTermLeftTheSessionOrTheFamily() throws Exception {
    open();
    LaunchRequest request =
        request(
            shell(
                "(sleep 1000 & echo $! >two); trap '' TERM;"
                    + " (setsid sh -c 'trap \"\" TERM; echo $$ >one; exec sleep 1000' &);"
                    + " echo $$ >three; while :; do sleep 1000; done"),
            Map.of());
    var end = get(containerizer.launch(request)).termination();
    Await.until(
        () ->
            request.sandbox().resolve("three").toFile().length() > 0
                && request.sandbox().resolve("one").toFile().length() > 0);
    List<Long> pids = new ArrayList<>();
    for (String name : List.of("one", "two", "three")) {
      pids.add(Long.parseLong(output(request, name).trim()));
    }
    containerizer.signal(request.containerId(), 15);
    Await.until(() -> !alive(pids.get(1)));
    assertThat(alive(pids.get(0))).isTrue();
    assertThat(alive(pids.get(2))).isTrue();

    get(containerizer.destroy(request.containerId()));
    // A killed process may be a zombie until init has looked after it.
    Await.until(() -> pids.stream().noneMatch(ContainerizerTest::alive));
    assertThat(get(end).signal()).hasValue(9);
    assertThat(containerizer.containers()).isEmpty();
    assertThat(folder.resolve("run time/containers")).isEmptyDirectory();
  }

  @Test
  void strayProcessesEndWithTheFirstOne() throws Exception {
    open();
    LaunchRequest request =
        request(shell("(setsid sleep 1000 & echo $! >stray); exit 4"), Map.of());
    assertThat(run(request).exitStatus()).hasValue(4);
    get(containerizer.destroy(request.containerId()));
    long stray = Long.parseLong(output(request, "stray").trim());
    Await.until(() -> !alive(stray));
  }

  @Test
  void fiftyAtATime() throws Exception {
    open();
    List<CompletableFuture<Termination>> ends = new ArrayList<>();
    List<LaunchRequest> requests = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      LaunchRequest request = request(shell("echo " + i + "; exit " + i), Map.of());
      requests.add(request);
      ends.add(
          containerizer.launch(request).thenCompose(Launched::termination).toCompletableFuture());
    }
    for (int i = 0; i < 50; i++) {
      assertThat(get(ends.get(i)).exitStatus()).hasValue(i);
      assertThat(output(requests.get(i), "stdout")).isEqualTo(i + "\n");
    }
    Await.until(() -> containerizer.containers().isEmpty());
  }

  /** A container that is over and forgotten before its end is asked for still tells its end. */
  @ParameterizedTest
  @ValueSource(strings = {"", "a"})
  void theEndOfAForgottenContainerIsKnown(String isolator) throws Exception {
    FakeAgent agent =
        agent()
            .with(
                Kinds.ISOLATOR,
                "a",
                new RecordingIsolator(
                    "a", java.util.Collections.synchronizedList(new ArrayList<>())));
    containerizer = isolator.isEmpty() ? agent.containerizer() : agent.containerizer(isolator);
    LaunchRequest request = request(shell("exit 7"), Map.of());
    CompletableFuture<Launched> launched = containerizer.launch(request).toCompletableFuture();
    Await.until(() -> containerizer.containers().isEmpty());
    assertThat(get(get(launched).termination()).exitStatus()).hasValue(7);
  }

  @Test
  void recordsPidStartTimeAndStatusInFiles() throws Exception {
    open();
    LaunchRequest request = request(shell("sleep 1000"), Map.of());
    Launched launched = get(containerizer.launch(request));
    Path files = folder.resolve("run time/containers").resolve(request.containerId().value());
    String[] pid = Files.readString(files.resolve("pid")).trim().split(" ");
    assertThat(Long.parseLong(pid[0])).isEqualTo(launched.pid());
    String stat = Files.readString(Path.of("/proc/" + launched.pid() + "/stat"));
    assertThat(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]).isEqualTo(pid[1]);
    assertThat(get(containerizer.usage(request.containerId())).orElseThrow().getProcesses())
        .isPositive();
    assertThat(get(containerizer.status(request.containerId())).getExecutorPid())
        .isEqualTo((int) launched.pid());
  }

  @Test
  void isolatorsAreCalledInOrderAndTheProcessWaitsForThem() throws Exception {
    List<String> calls = java.util.Collections.synchronizedList(new ArrayList<>());
    FakeAgent agent =
        agent()
            .with(Kinds.ISOLATOR, "a", new RecordingIsolator("a", calls))
            .with(Kinds.ISOLATOR, "b", new RecordingIsolator("b", calls));
    containerizer = agent.containerizer("posix/cpu", "a", "b");
    LaunchRequest request = request(shell("echo $FROM_a $FROM_b; cat ../isolated"), Map.of());
    assertThat(run(request).succeeded()).isTrue();
    get(containerizer.destroy(request.containerId()));
    assertThat(output(request, "stdout")).isEqualTo("yes yes\nab");
    assertThat(calls)
        .containsExactlyInAnyOrder(
            "recover a",
            "recover b",
            "prepare a",
            "prepare b",
            "isolate a",
            "isolate b",
            "cleanup b",
            "cleanup a")
        .containsSubsequence(
            "prepare a", "prepare b", "isolate a", "isolate b", "cleanup b", "cleanup a");
  }

  @Test
  void anotherIsolatorIsSelectedForContainersToCome() throws Exception {
    List<String> calls = java.util.Collections.synchronizedList(new ArrayList<>());
    FakeAgent agent =
        agent()
            .with(Kinds.ISOLATOR, "a", new RecordingIsolator("a", calls))
            .with(Kinds.ISOLATOR, "b", new RecordingIsolator("b", calls));
    containerizer = agent.containerizer("a");
    LaunchRequest before = request(shell("sleep 1000"), Map.of());
    get(containerizer.launch(before));

    containerizer.selectIsolation(List.of("posix/cpu", "b"));
    agent.modules.awaitHolders();
    LaunchRequest after = request(shell("echo $FROM_a $FROM_b"), Map.of());
    // The selection counts from when those that are new have opened and said so.
    do {
      calls.clear();
      LaunchRequest between = request(shell("true"), Map.of());
      assertThat(run(between).succeeded()).isTrue();
      get(containerizer.destroy(between.containerId()));
    } while (calls.contains("prepare a"));
    calls.clear();
    assertThat(run(after).succeeded()).isTrue();
    get(containerizer.destroy(after.containerId()));
    assertThat(output(after, "stdout")).isEqualTo("yes\n");
    assertThat(calls).containsExactly("prepare b", "isolate b", "cleanup b");
    calls.clear();
    get(containerizer.destroy(before.containerId()));
    Await.until(() -> calls.equals(List.of("cleanup a")));
  }

  @Test
  void anIsolatorRecoversNothingThatNoIsolatorHasPrepared() throws Exception {
    List<String> recovered = java.util.Collections.synchronizedList(new ArrayList<>());
    CountDownLatch told = new CountDownLatch(1);
    FakeAgent agent =
        agent()
            .with(
                Kinds.ISOLATOR,
                "a",
                new RecordingIsolator("a", new ArrayList<>()) {
                  @Override
                  public void recover(List<RecoveredContainer> containers) {
                    containers.forEach(found -> recovered.add(found.container().id()));
                    told.countDown();
                  }
                });
    containerizer = agent.containerizer();
    get(containerizer.launch(request(shell("sleep 1000"), Map.of())));
    containerizer.selectIsolation(List.of("a"));
    assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(recovered).isEmpty();
  }

  @Test
  void aFailingOrMissingIsolatorFailsTheLaunch() throws Exception {
    List<String> calls = java.util.Collections.synchronizedList(new ArrayList<>());
    FakeAgent agent =
        agent()
            .with(
                Kinds.ISOLATOR,
                "bad",
                new RecordingIsolator("bad", calls) {
                  @Override
                  public void isolate(Container container, long pid) throws IOException {
                    throw new IOException("no room");
                  }
                });
    containerizer = agent.containerizer("bad");
    LaunchRequest request = request(shell("touch ran"), Map.of());
    assertThatThrownBy(() -> get(containerizer.launch(request)))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("Isolator 'bad' failed: no room");
    assertThat(request.sandbox().resolve("ran")).doesNotExist();
    assertThat(calls).contains("cleanup bad");
    containerizer.close();

    containerizer = agent.containerizer("absent");
    assertThatThrownBy(() -> get(containerizer.launch(request(shell("true"), Map.of()))))
        .hasMessageContaining("Isolator 'absent' is not available");
  }

  @Test
  void aLimitationDestroysTheContainer() throws Exception {
    RecordingIsolator isolator =
        new RecordingIsolator("a", java.util.Collections.synchronizedList(new ArrayList<>()));
    containerizer = agent().with(Kinds.ISOLATOR, "a", isolator).containerizer("a");
    LaunchRequest request = request(shell("sleep 1000"), Map.of());
    var end = get(containerizer.launch(request)).termination();
    assertThat(isolator.limitations.report(tooMuch(request.containerId().value())))
        .isEqualTo(Sink.Receipt.TAKEN);
    assertThat(get(end).limitation().orElseThrow().reason())
        .isEqualTo("REASON_CONTAINER_LIMITATION_MEMORY");
  }

  @Test
  void aLimitationFoundInTheCleanupIsPartOfTheEnd() throws Exception {
    RecordingIsolator isolator =
        new RecordingIsolator("a", java.util.Collections.synchronizedList(new ArrayList<>())) {
          @Override
          public void cleanup(Container container) {
            limitations.report(tooMuch(container.id()));
          }
        };
    containerizer = agent().with(Kinds.ISOLATOR, "a", isolator).containerizer("a");
    Termination end = run(request(shell("kill -9 $$"), Map.of()));
    assertThat(end.signal()).hasValue(9);
    assertThat(end.limitation().orElseThrow().message()).isEqualTo("too much");
  }

  @Test
  void aLateReportOfABusyShimIsWaitedFor() throws Exception {
    open();
    LaunchRequest request = request(shell("exec sleep 1000"), Map.of());
    Launched launched = get(containerizer.launch(request));
    String[] words =
        Files.readString(
                folder
                    .resolve("run time/containers")
                    .resolve(request.containerId().value())
                    .resolve("pid"))
            .trim()
            .split(" ");
    // A stopped shim is what one without a share of the processor looks like.
    signal("STOP", words[2]);
    containerizer.destroy(request.containerId());
    Await.until(() -> !Files.exists(Path.of("/proc", words[0], "exe")));
    assertThat(launched.termination().toCompletableFuture())
        .as("not given up while the shim lives")
        .failsWithin(Duration.ofMillis(1500));
    signal("CONT", words[2]);
    assertThat(get(launched.termination()).signal()).hasValue(9);
  }

  private static void signal(String name, String pid) throws Exception {
    assertThat(new ProcessBuilder("kill", "-s", name, pid).start().waitFor()).isZero();
  }

  @Test
  void leavesNoCgroupBehind() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root makes cgroups");
    FakeAgent agent = agent();
    ContainerizerOptions o = agent.options();
    Path hierarchy = o.cgroups().orElseThrow().hierarchy();
    String root = "mezzo-test-" + UUID.randomUUID();
    Path parent =
        Stream.of(hierarchy, hierarchy.resolve("unified"))
            .filter(mount -> Files.exists(mount.resolve("cgroup.controllers")))
            .findFirst()
            .orElse(hierarchy.resolve("freezer"));
    assumeTrue(Files.isWritable(parent.resolve("cgroup.procs")), "no cgroups in " + parent);
    containerizer =
        Containerizer.open(
            agent.host(),
            new ContainerizerOptions(
                o.isolation(),
                o.switchUser(),
                Optional.of(new ContainerizerOptions.CgroupRoot(hierarchy, root)),
                o.fetching(),
                o.shell(),
                o.launcher(),
                o.logging(),
                o.secretResolver()));
    run(request(shell("true"), Map.of()));
    Await.until(() -> containerizer.containers().isEmpty());
    assertThat(parent.resolve(root)).isDirectory();
    // As another agent that shares it does when it ends.
    Files.delete(parent.resolve(root));
    run(request(shell("true"), Map.of()));
    containerizer.close(Duration.ofSeconds(5));
    assertThat(parent.resolve(root)).doesNotExist();
  }

  @Test
  void runsAsAnotherUserWhenRoot() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    // The temporary folder of the test is closed to others, as a work directory is not.
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-user");
    Files.setPosixFilePermissions(
        open, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    open();
    LaunchRequest plain = request(shell("id -un; id -G; echo x >mine; kill -9 $$"), Map.of());
    LaunchRequest request =
        LaunchRequest.builder(plain.containerId(), plain.command(), open.resolve("s"))
            .environment(plain.environment())
            .user(Optional.of("nobody"))
            .resources(plain.resources(), plain.limits())
            .build();
    try {
      assertThat(run(request).signal()).hasValue(9);
      assertThat(output(request, "stdout")).startsWith("nobody\n");
      assertThat(Files.getOwner(request.sandbox().resolve("mine")).getName()).isEqualTo("nobody");

      // A link that the user planted is followed with the rights of the user only.
      Path precious = Files.writeString(open.resolve("precious"), "precious");
      Path planted = Files.createDirectory(open.resolve("planted"));
      Files.createSymbolicLink(planted.resolve("stdout"), precious);
      LaunchRequest linked =
          LaunchRequest.builder(ContainerId.of("linked"), shell("echo overwritten"), planted)
              .user(Optional.of("nobody"))
              .resources(plain.resources(), plain.limits())
              .build();
      assertThat(run(linked).succeeded()).isFalse();
      assertThat(precious).hasContent("precious");
      assertThatThrownBy(
              () ->
                  run(
                      LaunchRequest.builder(
                              ContainerId.of("other"), plain.command(), open.resolve("t"))
                          .user(Optional.of("no-such-user"))
                          .build()))
          .hasMessageContaining("no-such-user");
    } finally {
      containerizer.close();
      try (var files = Files.walk(open)) {
        for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  /** More fetches than run at a time, none of which ends by itself. */
  @Test
  void slowFetchesDelayNeitherOtherLaunchesNorTheirOwnEnd() throws Exception {
    AtomicInteger running = new AtomicInteger();
    FakeAgent agent = agent();
    try (LocalModules modules = agent.modules) {
      modules.register(
          Fetcher.class,
          Fetcher.KIND,
          "slow",
          () ->
              new Fetcher() {
                @Override
                public Set<String> schemes() {
                  return Set.of("slow");
                }

                @Override
                public void fetch(Request request) throws InterruptedException {
                  running.incrementAndGet();
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    running.decrementAndGet();
                  }
                }
              });
      containerizer = agent.containerizer();
      CommandInfo slow =
          shell("touch ran").toBuilder()
              .addUris(CommandInfo.URI.newBuilder().setValue("slow://host/x"))
              .build();
      List<LaunchRequest> requests = new ArrayList<>();
      List<CompletableFuture<Launched>> launches = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        requests.add(request(slow, Map.of()));
        launches.add(containerizer.launch(requests.get(i)).toCompletableFuture());
      }
      Await.until(() -> running.get() >= 8);
      assertThat(run(request(shell("exit 3"), Map.of())).exitStatus()).hasValue(3);

      for (int i = 0; i < requests.size(); i++) {
        containerizer
            .destroy(requests.get(i).containerId())
            .toCompletableFuture()
            .get(60, TimeUnit.SECONDS);
        CompletableFuture<Launched> launched = launches.get(i);
        assertThatThrownBy(() -> launched.get(60, TimeUnit.SECONDS))
            .hasRootCauseInstanceOf(InterruptedException.class)
            .hasMessageContaining("destroyed");
        assertThat(requests.get(i).sandbox().resolve("ran")).doesNotExist();
      }
      Await.until(() -> running.get() == 0);
      assertThat(containerizer.containers()).isEmpty();
    }
  }

  private static ContainerLimitation tooMuch(String containerId) {
    return ContainerLimitation.of(
        containerId, Resources.EMPTY, "REASON_CONTAINER_LIMITATION_MEMORY", "too much");
  }

  static class RecordingIsolator implements Isolator {
    private final String name;
    private final List<String> calls;
    volatile Sink<ContainerLimitation> limitations;

    RecordingIsolator(String name, List<String> calls) {
      this.name = name;
      this.calls = calls;
    }

    @Override
    public void limitations(Sink<ContainerLimitation> sink) {
      limitations = sink;
    }

    @Override
    public void recover(List<RecoveredContainer> containers) {
      calls.add("recover " + name);
    }

    @Override
    public LaunchPlan prepare(Container container) {
      calls.add("prepare " + name);
      return LaunchPlan.environment(Map.of("FROM_" + name, "yes"));
    }

    @Override
    public void isolate(Container container, long pid) throws IOException {
      calls.add("isolate " + name);
      Files.writeString(
          container.sandbox().getParent().resolve("isolated"),
          name,
          java.nio.file.StandardOpenOption.CREATE,
          java.nio.file.StandardOpenOption.APPEND);
    }

    @Override
    public void cleanup(Container container) {
      calls.add("cleanup " + name);
    }
  }
}
