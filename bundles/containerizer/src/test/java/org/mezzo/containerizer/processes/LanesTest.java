package org.mezzo.containerizer.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.containerizer.FakeAgent;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.CommandInfo;

/** That nothing slow stands before something urgent. */
class LanesTest {
  @TempDir Path folder;
  private Optional<Containerizer> opened = Optional.empty();

  private Containerizer open(Optional<Path> id) throws Exception {
    FakeAgent agent = new FakeAgent(folder);
    SystemTools found = SystemTools.find(Path.of("/bin/sh"));
    SystemTools tools =
        new SystemTools(
            found.shell(),
            found.setsid(),
            found.mkfifo(),
            found.env(),
            found.argv0(),
            found.naming(),
            found.setpriv(),
            found.prlimit(),
            id.or(found::id));
    // Longer than any machine needs for what a test does while the name service hangs.
    Containerizer containerizer =
        new ProcessContainerizer(
            agent.host(),
            agent.options(),
            tools,
            id.isPresent()
                ? new Accounts(tools, true, 0, Duration.ofMinutes(1))
                : new Accounts(tools, true));
    opened = Optional.of(containerizer);
    return containerizer;
  }

  @AfterEach
  void close() {
    opened.ifPresent(it -> it.close(Duration.ofSeconds(30)));
  }

  private LaunchRequest.Builder request(String name, String command) {
    ContainerId id = ContainerId.of(name + "-" + folder.getFileName());
    return LaunchRequest.builder(
        id,
        CommandInfo.newBuilder().setShell(true).setValue(command).build(),
        folder.resolve(name));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void aNameServiceThatHangsDelaysNobodyElse() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root switches users");
    Path asked = folder.resolve("asked");
    Path id =
        Files.writeString(
            folder.resolve("id"), "#!/bin/sh\necho x >>'" + asked + "'; exec sleep 60\n");
    Files.setPosixFilePermissions(id, PosixFilePermissions.fromString("rwx------"));
    Containerizer containers = open(Optional.of(id));
    List<LaunchRequest> hanging = new ArrayList<>();
    List<CompletableFuture<Launched>> launches = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      hanging.add(request("hangs" + i, "true").user(Optional.of("user" + i)).build());
      launches.add(containers.launch(hanging.get(i)).toCompletableFuture());
    }
    Await.until(() -> Files.exists(asked) && Files.readAllLines(asked).size() == 4);
    Launched other = get(containers.launch(request("other", "exit 3").build()));
    assertThat(get(other.termination()).exitStatus()).hasValue(3);
    for (LaunchRequest each : hanging) {
      get(containers.destroy(each.containerId()));
    }
    for (CompletableFuture<Launched> launch : launches) {
      assertThatThrownBy(() -> get(launch)).hasMessageContaining("was destroyed");
    }
    assertThat(Files.readAllLines(asked)).as("none had to be waited for").hasSize(4);
  }

  @Test
  void signalsAndKillsWaitBehindNoLaunch() throws Exception {
    Containerizer containers = open(Optional.empty());
    Launched first =
        get(
            containers.launch(
                request(
                        "first",
                        "trap 'touch got' USR1; touch set; " + "while :; do sleep 0.05; done")
                    .build()));
    LaunchRequest second = request("second", "sleep 1000").build();
    Launched killed = get(containers.launch(second));
    Await.until(() -> Files.exists(folder.resolve("first/set")));
    String launcher = Files.readString(folder.resolve("run time/launcher.pid")).strip();
    CompletableFuture<Launched> stuck;
    send("STOP", launcher);
    try {
      stuck = containers.launch(request("stuck", "exit 4").build()).toCompletableFuture();
      assertThat(get(containers.signal(first.containerId(), 10))).isTrue();
      Await.until(() -> Files.exists(folder.resolve("first/got")));
      get(containers.destroy(second.containerId()));
      assertThat(get(killed.termination()).signal()).hasValue(9);
      assertThat(stuck).isNotDone();
    } finally {
      send("CONT", launcher);
    }
    assertThat(get(get(stuck).termination()).exitStatus()).hasValue(4);
  }

  private static void send(String signal, String pid) throws Exception {
    assertThat(new ProcessBuilder("kill", "-s", signal, pid).start().waitFor()).isZero();
  }

  @Test
  void theLogIsWrittenAnewWhenItHasGrown() throws Exception {
    Containerizer containers = open(Optional.empty());
    Path log = folder.resolve("run time/containers.log");
    get(containers.launch(request("stays", "sleep 1000").build()));
    long largest = 0;
    boolean shrunk = false;
    String padding = "x".repeat(200_000);
    for (int i = 0; i < 20 && !shrunk; i++) {
      LaunchRequest request =
          request("c" + i, "true")
              .info(
                  Optional.of(
                      org.mezzo.protocol.v1.ContainerInfo.newBuilder()
                          .setType(org.mezzo.protocol.v1.ContainerInfo.Type.MESOS)
                          .setHostname(padding)
                          .build()))
              .build();
      get(get(containers.launch(request)).termination());
      get(containers.destroy(request.containerId()));
      long size = Files.size(log);
      shrunk = size < largest;
      largest = Math.max(largest, size);
    }
    assertThat(shrunk).isTrue();
    containers.detach();
    Containerizer after = open(Optional.empty());
    assertThat(get(after.recover(id -> true)))
        .extracting(Containerizer.Recovered::adopted)
        .containsExactly(true);
  }
}
