package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;

/** Containers in containers, and what is known of those that have ended. */
class NestedContainersTest {
  private static final ContainerId OUTER = ContainerId.of("outer");

  @TempDir Path folder;

  FakeAgent agent() {
    return new FakeAgent(folder);
  }

  boolean entersNetworks() {
    return false;
  }

  private Optional<Containerizer> opened = Optional.empty();

  private Containerizer open(FakeAgent agent, String... isolation) throws Exception {
    Containerizer containerizer = agent.containerizer(isolation);
    opened = Optional.of(containerizer);
    return containerizer;
  }

  @AfterEach
  void close() {
    opened.ifPresent(it -> it.close(Duration.ofSeconds(30)));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static CommandInfo shell(String text) {
    return CommandInfo.newBuilder().setShell(true).setValue(text).build();
  }

  private LaunchRequest request(ContainerId id, String command) {
    return LaunchRequest.builder(id, shell(command), id.sandbox(folder.resolve("outer"))).build();
  }

  private static boolean alive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  @Test
  void idsNameTheirParents() {
    ContainerId inner = OUTER.child("a").child("b");
    assertThat(inner).hasToString("outer.a.b");
    assertThat(ContainerId.parse("outer.a.b")).isEqualTo(inner);
    assertThat(ContainerId.of(inner.toMessage())).isEqualTo(inner);
    assertThat(inner.root()).isEqualTo(OUTER);
    assertThat(inner.sandbox(Path.of("/s"))).isEqualTo(Path.of("/s/containers/a/containers/b"));
    assertThat(ContainerId.of("ü:1").fileName()).isEqualTo("%C3%BC%3A1");
    for (String wrong : List.of("", "a.b", "a/b", "a b", "a\nb", "x".repeat(243))) {
      assertThatThrownBy(() -> ContainerId.of(wrong)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theParentHasToRun() throws Exception {
    Containerizer containers = open(agent());
    assertThatThrownBy(() -> get(containers.launch(request(OUTER.child("a"), "true"))))
        .hasMessageContaining("'outer', which does not run");
    LaunchRequest kept =
        LaunchRequest.builder(OUTER, shell("true"), folder.resolve("outer")).kept().build();
    get(get(containers.launch(kept)).termination());
    get(containers.destroy(OUTER));
    assertThatThrownBy(() -> get(containers.launch(request(OUTER.child("a"), "true"))))
        .hasMessageContaining("does not run");
    assertThatThrownBy(() -> get(containers.launch(kept))).hasMessageContaining("exists already");
    assertThat(get(containers.remove(OUTER))).isTrue();
    assertThat(get(containers.remove(OUTER))).isFalse();
    assertThat(get(get(containers.launch(kept)).termination()).succeeded()).isTrue();
  }

  @Test
  void theSandboxIsInTheParentsOrTheParentsOwn() throws Exception {
    Containerizer containers = open(agent());
    get(containers.launch(request(OUTER, "sleep 1000")));
    ContainerId inner = OUTER.child("in");
    get(get(containers.launch(request(inner, "pwd"))).termination());
    Path own = folder.resolve("outer/containers/in");
    assertThat(Files.readString(own.resolve("stdout"))).isEqualTo(own.toRealPath() + "\n");

    Path shared = folder.resolve("outer");
    LaunchRequest debug =
        LaunchRequest.builder(OUTER.child("debug"), shell("touch seen"), shared).build();
    get(get(containers.launch(debug)).termination());
    assertThat(shared.resolve("seen")).exists();

    LaunchRequest elsewhere =
        LaunchRequest.builder(OUTER.child("x"), shell("true"), folder.resolve("x")).build();
    assertThatThrownBy(() -> get(containers.launch(elsewhere)))
        .hasMessageContaining("it has to be '" + shared.resolve("containers/x") + "'");
  }

  @Test
  void theInnermostGoFirstAndHowTheyEndedIsKnownAsLongAsTheirParentIs() throws Exception {
    List<String> calls = Collections.synchronizedList(new ArrayList<>());
    FakeAgent agent =
        agent()
            .with(
                Kinds.ISOLATOR,
                "nests",
                new ContainerizerTest.RecordingIsolator("nests", calls) {
                  @Override
                  public boolean nests() {
                    return true;
                  }

                  @Override
                  public void cleanup(Container container) {
                    calls.add("cleanup " + container + " in " + container.parent().orElse("none"));
                  }
                })
            .with(Kinds.ISOLATOR, "flat", new ContainerizerTest.RecordingIsolator("flat", calls));
    Containerizer containers = open(agent, "nests", "flat");
    ContainerId inner = OUTER.child("in");
    ContainerId innermost = inner.child("most");
    Launched outermost = get(containers.launch(request(OUTER, "sleep 1000")));
    Launched first = get(containers.launch(request(inner, "sleep 1000")));
    Launched second = get(containers.launch(request(innermost, "sleep 1000")));
    assertThat(calls.stream().filter(call -> call.equals("prepare flat"))).hasSize(1);
    assertThat(calls.stream().filter(call -> call.equals("prepare nests"))).hasSize(3);

    get(containers.destroy(inner));
    assertThat(alive(outermost.pid())).isTrue();
    Await.until(() -> !alive(first.pid()) && !alive(second.pid()));
    assertThat(get(containers.termination(inner)).orElseThrow().signal()).hasValue(9);
    assertThat(get(containers.termination(innermost)).orElseThrow().signal()).hasValue(9);
    assertThat(get(containers.signal(inner, 15))).isFalse();
    assertThat(containers.containers()).containsExactly(OUTER);

    get(containers.launch(request(OUTER.child("other"), "sleep 1000")));
    get(containers.destroy(OUTER));
    assertThat(calls.stream().filter(call -> call.startsWith("cleanup")))
        .containsExactly(
            "cleanup outer.in.most in outer.in",
            "cleanup outer.in in outer",
            "cleanup outer.other in outer",
            "cleanup flat",
            "cleanup outer in none");
    assertThat(get(containers.termination(inner))).isEmpty();
    assertThat(get(containers.termination(OUTER))).isEmpty();
    assertThat(folder.resolve("run time/containers")).isEmptyDirectory();
  }

  /** What looks after a task and passes, as commands of checks do. */
  @Test
  void ofAPassingOneNothingIsKeptAndItsOutputIsARemarkToTheTasks() throws Exception {
    Containerizer containers = open(agent());
    assertThat(containers.runs(OUTER)).isFalse();
    Launched outer =
        get(
            containers.launch(
                request(OUTER, "while [ ! -e go ]; do sleep 0.05; done; echo done >&2")));
    assertThat(containers.runs(OUTER)).isTrue();
    Path sandbox = folder.resolve("outer");
    ContainerId look = OUTER.child("look");
    LaunchRequest request =
        LaunchRequest.builder(look, shell("echo out; echo err >&2; exit 3"), sandbox)
            .io(ContainerIo.REMARKS)
            .passing()
            .build();
    assertThat(get(get(containers.launch(request)).termination()).exitStatus()).hasValue(3);
    get(containers.destroy(look));
    assertThat(get(containers.termination(look))).isEmpty();
    assertThat(get(containers.remove(look))).isFalse();
    Launched last =
        get(
            containers.launch(
                LaunchRequest.builder(look, shell("sleep 1000"), sandbox)
                    .io(ContainerIo.REMARKS)
                    .passing()
                    .build()));
    boolean[] ranWhenTold = {true};
    CompletionStage<?> told =
        last.termination().thenAccept(end -> ranWhenTold[0] = containers.runs(OUTER));
    Files.createFile(sandbox.resolve("go"));
    get(told);
    assertThat(ranWhenTold[0]).as("known that the parent ends").isFalse();
    assertThat(get(outer.termination()).succeeded()).isTrue();
    get(containers.destroy(OUTER));
    assertThat(sandbox.resolve("stdout")).isEmptyFile();
    assertThat(sandbox.resolve("stderr")).hasContent("out\nerr\ndone\n");
  }

  @Test
  void theEndOfTheParentIsTheEndOfThoseInIt() throws Exception {
    Containerizer containers = open(agent());
    Launched outer =
        get(containers.launch(request(OUTER, "while [ ! -e go ]; do sleep 0.05; done; exit 3")));
    Launched inner = get(containers.launch(request(OUTER.child("in"), "sleep 1000")));
    Files.createFile(folder.resolve("outer/go"));
    assertThat(get(outer.termination()).exitStatus()).hasValue(3);
    assertThat(get(inner.termination()).signal()).hasValue(9);
    get(containers.destroy(OUTER));
    assertThat(alive(inner.pid())).isFalse();
    assertThat(containers.containers()).isEmpty();
  }

  @Test
  void aSignalIsForTheContainerItselfAndUsageForAllInIt() throws Exception {
    Containerizer containers = open(agent());
    get(containers.launch(request(OUTER, "trap 'touch got' USR1; while :; do sleep 0.05; done")));
    ContainerId inner = OUTER.child("in");
    Launched nested =
        get(
            containers.launch(
                request(inner, "trap 'touch got' USR1; while :; do sleep 0.05; done")));
    Await.until(
        () -> {
          // Only once its trap is set.
          get(containers.signal(inner, 0));
          return get(containers.usage(OUTER)).orElseThrow().getProcesses() > 0;
        });
    Await.until(() -> trapped(nested.pid()));
    assertThat(get(containers.signal(inner, 10))).isTrue();
    Await.until(() -> Files.exists(inner.sandbox(folder.resolve("outer")).resolve("got")));
    assertThat(folder.resolve("outer/got")).doesNotExist();
    assertThat(get(containers.status(inner)).getContainerId()).isEqualTo(inner.toMessage());
    assertThatThrownBy(() -> get(containers.remove(inner))).hasMessageContaining("has not ended");
  }

  private static boolean trapped(long pid) throws Exception {
    return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
        .filter(line -> line.startsWith("SigCgt:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(8).strip(), 16) & 1 << 9) != 0);
  }

  @Test
  void anEnclosureHasNoProcessAndGoesAfterThoseInIt() throws Exception {
    List<Container> prepared = Collections.synchronizedList(new ArrayList<>());
    List<String> calls = Collections.synchronizedList(new ArrayList<>());
    FakeAgent agent =
        agent()
            .with(
                Kinds.ISOLATOR,
                "watching",
                new ContainerizerTest.RecordingIsolator("watching", calls) {
                  @Override
                  public LaunchPlan prepare(Container container) {
                    prepared.add(container);
                    return super.prepare(container);
                  }
                });
    Containerizer containers = open(agent, "watching");
    Path sandbox = Files.createDirectory(folder.resolve("outer"));
    Launched enclosure =
        get(containers.launch(LaunchRequest.enclosure(OUTER, sandbox).kept().build()));
    assertThat(enclosure.pid()).isZero();
    assertThat(prepared).isEmpty();
    ContainerId inner = OUTER.child("in");
    Launched nested = get(containers.launch(request(inner, "sleep 1000")));
    // Isolated as if it were in none.
    assertThat(prepared).hasSize(1);
    assertThat(prepared.get(0).parent()).isEmpty();
    assertThat(prepared.get(0).id()).isEqualTo("outer.in");
    assertThat(get(containers.usage(inner)).orElseThrow().getProcesses()).isPositive();
    assertThat(get(containers.usage(OUTER))).isEmpty();
    assertThat(get(containers.signal(OUTER, 9))).isFalse();
    assertThat(containers.containers()).containsExactlyInAnyOrder(OUTER, inner);

    containers.detach();
    Containerizer after = open(agent, "watching");
    assertThat(get(after.recover(id -> true)))
        .extracting(Containerizer.Recovered::containerId, Containerizer.Recovered::adopted)
        .containsExactly(tuple(OUTER, true), tuple(inner, true));
    get(after.signal(inner, 9));
    assertThat(get(after.termination(inner)).orElseThrow().signal()).hasValue(9);
    ContainerId second = OUTER.child("second");
    Launched other = get(after.launch(request(second, "sleep 1000")));
    get(after.destroy(OUTER));
    assertThat(ProcessHandle.of(other.pid()).map(ProcessHandle::isAlive).orElse(false)).isFalse();
    assertThat(get(after.termination(second)).orElseThrow().signal()).hasValue(9);
    assertThat(get(after.termination(OUTER))).contains(Termination.UNKNOWN);
    assertThat(get(after.remove(OUTER))).isTrue();
    assertThat(get(after.termination(second))).isEmpty();
    assertThat(nested.pid()).isPositive();
  }

  @Test
  void anEnclosureThatNobodyKeepsGoesWithAllThatIsInIt() throws Exception {
    FakeAgent agent = agent();
    Containerizer before = open(agent);
    Path sandbox = Files.createDirectory(folder.resolve("outer"));
    get(before.launch(LaunchRequest.enclosure(OUTER, sandbox).build()));
    Launched nested = get(before.launch(request(OUTER.child("in"), "sleep 1000")));
    before.detach();
    Containerizer after = open(agent);
    assertThat(get(after.recover(id -> false))).noneMatch(Containerizer.Recovered::adopted);
    assertThat(after.containers()).isEmpty();
    assertThat(ProcessHandle.of(nested.pid()).map(ProcessHandle::isAlive).orElse(false)).isFalse();
  }

  @Test
  void aNestedOneIsInTheGroupsOfItsParent() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root makes cgroups");
    assumeTrue(
        Files.isWritable(Path.of("/sys/fs/cgroup/memory/cgroup.procs")), "no cgroups version 1");
    Path memory =
        Files.createDirectory(
            Path.of("/sys/fs/cgroup/memory/mezzo-nested-" + ProcessHandle.current().pid()));
    Containerizer containers = open(agent());
    try {
      Launched outer = get(containers.launch(request(OUTER, "sleep 1000")));
      Files.writeString(memory.resolve("cgroup.procs"), Long.toString(outer.pid()));
      Launched inner = get(containers.launch(request(OUTER.child("in"), "sleep 1000")));
      assertThat(Files.readString(Path.of("/proc/" + inner.pid() + "/cgroup")))
          .contains(":memory:/" + memory.getFileName() + "\n")
          .containsPattern("(:freezer|0:):/" + FakeAgent.CGROUPS + "/outer/in\n");
      get(containers.destroy(OUTER));
    } finally {
      Await.until(() -> Files.readString(memory.resolve("cgroup.procs")).isEmpty());
      Files.delete(memory);
    }
  }

  private static Path network(String process) throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/" + process + "/ns/net"));
  }

  @Test
  void aNestedOneIsInTheNetworkOfItsParent() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root enters networks");
    Containerizer containers = open(agent());
    Launched outer =
        get(containers.launch(request(OUTER, "exec unshare -n sh -c 'touch in; exec sleep 1000'")));
    Await.until(() -> Files.exists(folder.resolve("outer/in")));
    String pid = Long.toString(outer.pid());
    assertThat(network(pid)).isNotEqualTo(network("self"));
    ContainerId inner = OUTER.child("in");
    if (!entersNetworks()) {
      assertThatThrownBy(() -> get(containers.launch(request(inner, "true"))))
          .hasCauseInstanceOf(UnableException.class)
          .hasMessageContaining("network namespace of its own");
      return;
    }
    Launched nested = get(containers.launch(request(inner, "readlink /proc/self/ns/net")));
    assertThat(get(nested.termination()).succeeded()).isTrue();
    assertThat(inner.sandbox(folder.resolve("outer")).resolve("stdout"))
        .hasContent(network(pid).toString());
  }

  @Test
  void nothingIsMadeInATasksFolderWithOtherRights() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-user");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path precious = Files.createDirectory(open.resolve("precious"));
    Path sandbox = open.resolve("s");
    Containerizer containers = open(agent());
    try {
      get(
          containers.launch(
              LaunchRequest.builder(OUTER, shell("sleep 1000"), sandbox)
                  .user(Optional.of("nobody"))
                  .build()));
      ContainerId inner = OUTER.child("in");
      LaunchRequest.Builder nested =
          LaunchRequest.builder(inner, shell("id -un"), inner.sandbox(sandbox));
      assertThatThrownBy(() -> get(containers.launch(nested.build())))
          .hasMessageContaining("the sandbox of user 'nobody'");
      get(get(containers.launch(nested.user(Optional.of("nobody")).build())).termination());
      assertThat(inner.sandbox(sandbox).resolve("stdout")).hasContent("nobody\n");

      ContainerId second = OUTER.child("in").child("x");
      assertThat(second.root()).isEqualTo(OUTER);
      Files.move(sandbox.resolve("containers"), sandbox.resolve("away"));
      Files.createSymbolicLink(sandbox.resolve("containers"), precious);
      ContainerId linked = OUTER.child("linked");
      assertThatThrownBy(
              () ->
                  get(
                      containers.launch(
                          LaunchRequest.builder(linked, shell("true"), linked.sandbox(sandbox))
                              .user(Optional.of("nobody"))
                              .build())))
          .hasMessageContaining("cannot make the sandbox");
      assertThat(precious).isEmptyDirectory();
    } finally {
      containers.close();
      try (var files = Files.walk(open)) {
        for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
