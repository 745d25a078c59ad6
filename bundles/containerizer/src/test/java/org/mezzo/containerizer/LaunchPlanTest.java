package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Feature;
import org.mezzo.api.isolator.LaunchPlan.Mount;
import org.mezzo.api.isolator.LaunchPlan.Namespace;
import org.mezzo.api.isolator.LaunchPlan.Rlimit;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.isolation.FakeWatching;
import org.mezzo.containerizer.isolation.IsolatorChain;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.RLimitInfo.RLimit;

/** How what isolators say of a launch is carried out, refused, and handed on. */
class LaunchPlanTest {
  @TempDir Path folder;
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private Optional<Containerizer> containerizer = Optional.empty();

  /** Says the same of every container, and notes what it is asked. */
  private class Saying implements Isolator {
    private final String name;
    private final LaunchPlan plan;

    Saying(String name, LaunchPlan plan) {
      this.name = name;
      this.plan = plan;
    }

    @Override
    public void recover(List<RecoveredContainer> containers) {
      for (RecoveredContainer found : containers) {
        String state = new String(found.state(), StandardCharsets.UTF_8);
        calls.add("recover " + name + " " + found.container() + " " + found.phase() + " " + state);
      }
    }

    @Override
    public LaunchPlan prepare(Container container) {
      calls.add("prepare " + name);
      return plan;
    }

    @Override
    public void isolate(Container container, long pid) {
      calls.add("isolate " + name);
    }

    @Override
    public void cleanup(Container container) {
      calls.add("cleanup " + name);
    }
  }

  /** What is said of a namespace of processes. */
  String refusal() {
    return "Isolator 'b' asks for NAMESPACES, MOUNTS, which the launcher";
  }

  private static LaunchPlan files(long soft) {
    return LaunchPlan.builder()
        .rlimit("RLIMIT_NOFILE", new Rlimit(OptionalLong.of(soft), OptionalLong.of(99)))
        .build();
  }

  FakeAgent agent(LaunchPlan a, LaunchPlan b) {
    return new FakeAgent(folder)
        .with(Kinds.ISOLATOR, "a", new Saying("a", a))
        .with(Kinds.ISOLATOR, "b", new Saying("b", b));
  }

  LaunchRequest request(String command) throws Exception {
    Path sandbox = Files.createTempDirectory(folder, "sandbox").resolve("run");
    return LaunchRequest.builder(
            ContainerId.of("c" + sandbox.getParent().getFileName()),
            CommandInfo.newBuilder().setShell(true).setValue(command).build(),
            sandbox)
        .build();
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  Containerizer open(FakeAgent agent) throws Exception {
    Containerizer opened = agent.containerizer("a", "b");
    containerizer = Optional.of(opened);
    return opened;
  }

  @AfterEach
  void close() {
    containerizer.ifPresent(it -> it.close(java.time.Duration.ofSeconds(60)));
  }

  @Test
  void limitsThatNobodyWouldCarryOutFailTheLaunch() throws Exception {
    ContainerInfo.Builder info = ContainerInfo.newBuilder().setType(ContainerInfo.Type.MESOS);
    info.getRlimitInfoBuilder().addRlimitsBuilder().setType(RLimit.Type.RLMT_CORE);
    Path sandbox = folder.resolve("limited");
    LaunchRequest request =
        LaunchRequest.builder(
                ContainerId.of("limited"),
                CommandInfo.newBuilder().setShell(true).setValue("true").build(),
                sandbox)
            .info(Optional.of(info.build()))
            .build();
    Containerizer without = open(agent(LaunchPlan.NONE, LaunchPlan.NONE));
    assertThatThrownBy(() -> get(without.launch(request)))
        .hasMessageContaining("`container.rlimit_info` needs the isolator 'posix/rlimits'")
        .hasMessageContaining("--isolation");
  }

  @Test
  void variablesAndLimitsAreCarriedOut() throws Exception {
    Containerizer containers =
        open(
            agent(
                LaunchPlan.environment(Map.of("SAID", "by a")),
                LaunchPlan.builder()
                    .variable("SAID", "by b")
                    .rlimit("RLIMIT_NOFILE", new Rlimit(OptionalLong.of(77), OptionalLong.of(99)))
                    .rlimit("RLIMIT_CORE", new Rlimit(OptionalLong.empty(), OptionalLong.empty()))
                    .build()));
    LaunchRequest request = request("echo $SAID; ulimit -Sn; ulimit -Hn; ulimit -c");
    assertThat(get(get(containers.launch(request)).termination()).succeeded()).isTrue();
    assertThat(Files.readString(request.sandbox().resolve("stdout")))
        .isEqualTo("by b\n77\n99\nunlimited\n");
  }

  @Test
  void whatTheLauncherCannotDoIsRefusedByName() throws Exception {
    LaunchPlan plan =
        LaunchPlan.builder()
            .namespace(Namespace.PID)
            .mount(new Mount("/data", Path.of("/data"), Optional.empty(), Set.of("ro")))
            .build();
    Containerizer containers = open(agent(LaunchPlan.NONE, plan));
    LaunchRequest request = request("touch ran");
    assertThatThrownBy(() -> get(containers.launch(request))).hasMessageContaining(refusal());
    assertThat(request.sandbox().resolve("ran")).doesNotExist();
    assertThat(calls).containsExactly("prepare a", "prepare b", "cleanup b", "cleanup a");
  }

  @Test
  void limitsThatContradictEachOtherAreRefused() throws Exception {
    Containerizer containers = open(agent(files(10), files(20)));
    LaunchRequest request = request("touch ran");
    assertThatThrownBy(() -> get(containers.launch(request)))
        .hasMessageContaining("'a' and 'b' contradict each other: both set RLIMIT_NOFILE");
    assertThat(request.sandbox().resolve("ran")).doesNotExist();
  }

  @Test
  void aLimitThatIsNoneIsRefused() throws Exception {
    LaunchPlan plan =
        LaunchPlan.builder()
            .rlimit("RLIMIT_X; rm", new Rlimit(OptionalLong.empty(), OptionalLong.empty()))
            .build();
    Containerizer containers = open(agent(plan, LaunchPlan.NONE));
    assertThatThrownBy(() -> get(containers.launch(request("true"))))
        .hasMessageContaining("'RLIMIT_X; rm' is no limit of processes");
  }

  @Test
  void aSuccessorIsToldWhatItsPredecessorKept() throws Exception {
    LaunchPlan kept =
        LaunchPlan.builder().state("kept by a".getBytes(StandardCharsets.UTF_8)).build();
    FakeAgent agent = agent(kept, LaunchPlan.NONE);
    Containerizer containers = open(agent);
    LaunchRequest request = request("sleep 1000");
    get(containers.launch(request));

    agent.with(Kinds.ISOLATOR, "a", new Saying("a2", LaunchPlan.NONE));
    agent.modules.awaitHolders();
    assertThat(calls).contains("recover a2 " + request.containerId() + " ISOLATED kept by a");
  }

  @Test
  void nestedContainersAreLeftToThoseThatNest() throws Exception {
    FakeAgent agent =
        new FakeAgent(folder)
            .with(Kinds.ISOLATOR, "a", new Saying("a", LaunchPlan.environment(Map.of("A", "1"))))
            .with(
                Kinds.ISOLATOR,
                "b",
                new Saying("b", LaunchPlan.environment(Map.of("B", "1"))) {
                  @Override
                  public boolean nests() {
                    return true;
                  }
                });
    IsolatorChain chain =
        new IsolatorChain(
            agent.host(),
            List.of("a", "b"),
            Set.of(Feature.ENVIRONMENT),
            Runnable::run,
            reached -> {},
            List::of,
            Map.of(),
            (container, isolator, state) -> {},
            new FakeWatching());
    agent.modules.awaitHolders();
    Container inner = Container.builder("inner", folder).parent("outer").build();
    assertThat(get(chain.prepare(inner)).environment()).isEqualTo(Map.of("B", "1"));
    get(chain.isolate(inner.toBuilder().pid(1).build()));
    get(chain.cleanup(inner));
    assertThat(calls).containsExactly("prepare b", "isolate b", "cleanup b");
    chain.close();
  }
}
