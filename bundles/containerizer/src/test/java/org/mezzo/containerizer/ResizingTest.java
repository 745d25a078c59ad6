package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.containerizer.Containerizer.Link;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

/** Containers that get other resources, and links, while they are there. */
class ResizingTest {
  @TempDir Path folder;
  private final Semaphore updates = new Semaphore(1_000_000);
  private volatile boolean isolating = true;
  private volatile boolean failing;
  private List<String> calls;
  private Containerizer containers;

  /** Keeps what it is told; a test may hold it up. */
  private final class Recorder implements Isolator {
    private final List<String> calls;

    Recorder(List<String> calls) {
      this.calls = calls;
    }

    @Override
    public void recover(List<RecoveredContainer> all) {
      all.forEach(each -> note("recover", each.container()));
    }

    @Override
    public LaunchPlan prepare(Container container) {
      note("prepare", container);
      return LaunchPlan.builder().state(new byte[] {1}).build();
    }

    @Override
    public void isolate(Container container, long pid) {
      Await.until(() -> isolating);
      note("isolate", container);
    }

    @Override
    public void update(Container container) throws Exception {
      calls.add("begin");
      updates.acquire();
      if (failing) {
        throw new IllegalArgumentException("there is no more");
      }
      note("update", container);
    }

    @Override
    public void cleanup(Container container) {
      note("cleanup", container);
    }

    private void note(String call, Container container) {
      long limit = container.limits().scalar("cpus");
      calls.add(
          call
              + " "
              + container.resources().scalar("cpus") / 1000
              + (limit == 0 ? "" : " up to " + limit / 1000));
    }
  }

  private Containerizer open() throws Exception {
    calls = new CopyOnWriteArrayList<>();
    containers =
        new FakeAgent(folder)
            .with(Kinds.ISOLATOR, "recorder", new Recorder(calls))
            .containerizer("recorder");
    return containers;
  }

  @AfterEach
  void close() {
    updates.release(1000);
    containers.close(Duration.ofSeconds(30));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static Resources cpus(double cpus) {
    return Resources.of(Resource.scalar("cpus", cpus));
  }

  private ContainerId id() {
    return ContainerId.of("sized-" + folder.getFileName());
  }

  private CompletionStage<Launched> launch() {
    return launch(Optional.empty());
  }

  private CompletionStage<Launched> launch(Optional<String> user) {
    return containers.launch(
        LaunchRequest.builder(
                id(),
                CommandInfo.newBuilder().setShell(true).setValue("sleep 1000").build(),
                folder.resolve("sandbox"))
            .user(user)
            .resources(cpus(1), Resources.EMPTY)
            .build());
  }

  private CompletionStage<Boolean> update(double cpus) {
    return containers.update(id(), cpus(cpus), Resources.EMPTY);
  }

  private void begun(int number) {
    Await.until(() -> calls.stream().filter("begin"::equals).count() == number);
  }

  @Test
  void isolatorsHearOfOtherResourcesAndUsageShowsThem() throws Exception {
    open();
    get(launch());
    assertThat(get(containers.update(id(), cpus(2), cpus(3)))).isTrue();
    assertThat(calls).containsExactly("prepare 1", "isolate 1", "begin", "update 2 up to 3");
    assertThat(get(containers.usage(id())).orElseThrow().getCpusSoftLimit()).isEqualTo(2);
    assertThat(get(containers.usage(id())).orElseThrow().getCpusLimit()).isEqualTo(3);

    assertThat(get(containers.update(id(), cpus(2), cpus(3)))).as("the same again").isTrue();
    assertThat(calls).hasSize(4);
    assertThat(get(containers.update(ContainerId.of("nobody"), cpus(2), Resources.EMPTY)))
        .isFalse();
  }

  @Test
  void changesOfOneContainerFollowEachOtherAndOnlyTheNewestOfThoseThatWaitIsMade()
      throws Exception {
    open();
    get(launch());
    updates.drainPermits();
    CompletionStage<Boolean> first = update(2);
    begun(1);
    CompletionStage<Boolean> second = update(3);
    CompletionStage<Boolean> third = update(4);
    updates.release();
    assertThat(get(first)).isTrue();
    begun(2);
    assertThat(second.toCompletableFuture()).isNotDone();
    updates.release();
    assertThat(get(second)).isTrue();
    assertThat(get(third)).isTrue();
    assertThat(calls)
        .filteredOn(call -> call.startsWith("update"))
        .containsExactly("update 2", "update 4");
  }

  @Test
  void aChangeDuringALaunchIsMadeOnceItRuns() throws Exception {
    open();
    isolating = false;
    CompletionStage<Launched> launched = launch();
    Await.until(() -> calls.contains("prepare 1"));
    CompletionStage<Boolean> grown = update(2);
    isolating = true;
    get(launched);
    assertThat(get(grown)).isTrue();
    assertThat(calls.get(calls.size() - 1)).isEqualTo("update 2");
    assertThat(calls.indexOf("begin")).isGreaterThan(1);
  }

  @Test
  void nothingIsCleanedUpBeforeAChangeIsOverAndNoneComesAfterwards() throws Exception {
    open();
    Launched launched = get(launch());
    updates.drainPermits();
    CompletionStage<Boolean> first = update(2);
    begun(1);
    CompletionStage<Boolean> waits = update(3);
    CompletionStage<Void> gone = containers.destroy(id());
    assertThat(get(waits)).as("made of one that is to go").isFalse();
    assertThat(get(update(4))).isFalse();
    Await.until(() -> !ProcessHandle.of(launched.pid()).map(ProcessHandle::isAlive).orElse(false));
    assertThat(gone.toCompletableFuture()).isNotDone();
    updates.release();
    assertThat(get(first)).isTrue();
    get(gone);
    assertThat(calls).containsExactly("prepare 1", "isolate 1", "begin", "update 2", "cleanup 3");
  }

  @Test
  void whatAnIsolatorDidNotMakeIsToldAndMayBeTriedAgain() throws Exception {
    open();
    get(launch());
    failing = true;
    assertThatThrownBy(() -> get(update(2)))
        .cause()
        .isInstanceOf(LaunchException.class)
        .hasMessage("Isolator 'recorder' failed: there is no more");
    failing = false;
    assertThat(get(update(2))).isTrue();
    assertThat(calls.get(calls.size() - 1)).isEqualTo("update 2");
  }

  @Test
  void whatIsWantedIsKnownToTheNextAgentWhichTellsItAgain() throws Exception {
    open();
    get(launch());
    updates.drainPermits();
    update(2);
    begun(1);
    containers.detach();
    updates.release(10);

    open();
    get(containers.recover(id -> true));
    Await.until(() -> calls.contains("update 2"));
    assertThat(calls).startsWith("recover 2");
    assertThat(get(containers.usage(id())).orElseThrow().getCpusSoftLimit()).isEqualTo(2);
    get(containers.destroy(id()));
    assertThat(calls).endsWith("cleanup 2");
  }

  @Test
  void linksAreMadeAndTakenAwayWithTheRightsOfTheContainersUser() throws Exception {
    boolean root = "root".equals(System.getProperty("user.name"));
    open();
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    get(launch(root ? Optional.of("nobody") : Optional.empty()));
    Path sandbox = folder.resolve("sandbox");
    Path volume = Files.createDirectory(folder.resolve("volume"));
    Link link = new Link(Path.of("-deep/er [1]/data"), volume);

    get(containers.link(id(), List.of(link), List.of(), List.of(volume)));
    Path made = sandbox.resolve(link.at());
    assertThat(Files.readSymbolicLink(made)).isEqualTo(volume);
    String user = root ? "nobody" : System.getProperty("user.name");
    assertThat(Files.getOwner(volume).getName()).isEqualTo(user);
    assertThat(Files.getOwner(made, LinkOption.NOFOLLOW_LINKS).getName()).isEqualTo(user);
    get(containers.link(id(), List.of(link), List.of(), List.of()));

    get(containers.link(id(), List.of(), List.of(link), List.of()));
    assertThat(Files.exists(made, LinkOption.NOFOLLOW_LINKS)).isFalse();
    Files.createDirectory(made);
    get(containers.link(id(), List.of(), List.of(link), List.of()));
    assertThat(made).isDirectory();
    assertThatThrownBy(() -> get(containers.link(id(), List.of(link), List.of(), List.of())))
        .rootCause()
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("something else is there already");
  }

  @Test
  void whoExchangesAFolderOfTheSandboxGetsNothingMadeElsewhere() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    open();
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    get(launch(Optional.of("nobody")));
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.createSymbolicLink(folder.resolve("sandbox/out"), elsewhere);
    CompletableFuture<Void> made =
        containers
            .link(
                id(),
                List.of(new Link(Path.of("out/data"), folder.resolve("volume"))),
                List.of(),
                List.of())
            .toCompletableFuture();
    assertThatThrownBy(() -> get(made)).hasRootCauseInstanceOf(LaunchException.class);
    assertThat(elsewhere).isEmptyDirectory();
  }
}
