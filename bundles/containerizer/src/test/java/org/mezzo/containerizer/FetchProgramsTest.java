package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Programs;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;

/** Programs that fetch for a container are in its cgroup, whatever they do to get out of sight. */
class FetchProgramsTest {
  private static final ContainerId ID = ContainerId.of("fetches");

  @TempDir Path folder;
  private Optional<Containerizer> opened = Optional.empty();

  @BeforeEach
  void check() {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root makes cgroups");
    assumeTrue(
        Files.isWritable(Path.of("/sys/fs/cgroup/freezer/cgroup.procs"))
            || Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers")),
        "no cgroups");
  }

  @AfterEach
  void close() {
    opened.ifPresent(it -> it.close(Duration.ofSeconds(30)));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Has a program fetch that leaves session and group, and does not end. */
  private Containerizer open() throws Exception {
    Fetcher fetcher =
        new Fetcher() {
          @Override
          public Set<String> schemes() {
            return Set.of("slow");
          }

          @Override
          public void fetch(Request request) throws IOException, InterruptedException {
            Path pid = folder.resolve("pid");
            Process program =
                request
                    .programs()
                    .start(
                        new ProcessBuilder(
                            "sh",
                            "-c",
                            "setsid sh -c 'echo $$ >\"$1.new\"; mv \"$1.new\" \"$1\"; exec sleep"
                                + " 1000' sh \"$1\" & wait",
                            "sh",
                            pid.toString()));
            try {
              program.waitFor();
            } finally {
              Programs.end(program);
            }
          }
        };
    Containerizer containerizer =
        new FakeAgent(folder).with(Kinds.FETCHER, "slow", fetcher).containerizer();
    opened = Optional.of(containerizer);
    return containerizer;
  }

  private CompletionStage<Containerizer.Launched> launch(Containerizer containers) {
    CommandInfo command =
        CommandInfo.newBuilder()
            .setShell(true)
            .setValue("true")
            .addUris(CommandInfo.URI.newBuilder().setValue("slow://host/x"))
            .build();
    return containers.launch(LaunchRequest.builder(ID, command, folder.resolve("sandbox")).build());
  }

  private long fetching() throws IOException {
    Path pid = folder.resolve("pid");
    Await.until("it fetches", () -> Files.exists(pid));
    long fetching = Long.parseLong(Files.readString(pid).strip());
    assertThat(Files.readString(Path.of("/proc/" + fetching + "/cgroup")))
        .contains("/" + FakeAgent.CGROUPS + "/fetches\n");
    return fetching;
  }

  private static void awaitGone(long pid) {
    Await.until("process " + pid + " is gone", () -> !alive(pid));
  }

  @Test
  void theyEndWithTheContainer() throws Exception {
    Containerizer containers = open();
    CompletionStage<Containerizer.Launched> launched = launch(containers);
    long pid = fetching();
    get(containers.destroy(ID));
    awaitGone(pid);
    assertThatThrownBy(() -> get(launched)).hasMessageContaining("destroyed");
    assertThat(containers.containers()).isEmpty();
  }

  /** Whether somebody waits for one that was killed is up to the machine. */
  private static boolean alive(long pid) throws IOException {
    try {
      return !Files.readString(Path.of("/proc", "" + pid, "stat")).contains(") Z ");
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** One that nobody could end is found by the next agent, by the container's cgroup. */
  @Test
  void theNextAgentEndsThoseOfAKilledOne() throws Exception {
    Containerizer before = open();
    launch(before);
    long pid = fetching();
    before.detach();
    assertThat(ProcessHandle.of(pid)).isPresent();
    Containerizer after = open();
    assertThat(get(after.recover(id -> true))).noneMatch(Containerizer.Recovered::adopted);
    awaitGone(pid);
    assertThat(after.containers()).isEmpty();
  }
}
