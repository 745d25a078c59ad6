package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.mezzo.containerizer.ContainerVolumeTest.info;
import static org.mezzo.containerizer.ContainerVolumeTest.volume;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.protocol.v1.CommandInfo;

/** Volumes of containers that have mounts of their own ({@code filesystem/linux}). */
class MountedVolumesTest {
  private static final ContainerId OUTER = ContainerId.of("outer");

  @TempDir Path folder;
  private FakeAgent agent;
  private Containerizer containers;
  private Path outer;
  private Path host;
  private Path elsewhere;

  @BeforeEach
  void open() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounts need root");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    agent = new FakeAgent(folder).launching(NativeLaunchers.built());
    containers = agent.containerizer("filesystem/linux");
    outer = Files.createDirectory(folder.resolve("outer"));
    host = Files.createDirectory(folder.resolve("host"));
    elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.writeString(host.resolve("file"), "of the host\n");
    Files.setPosixFilePermissions(host, PosixFilePermissions.fromString("rwxrwxrwx"));
  }

  @AfterEach
  void close() throws Exception {
    if (containers != null) {
      assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
          .as("what is mounted on the host")
          .doesNotContain(folder.getFileName().toString());
      containers.close(Duration.ofSeconds(30));
    }
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private LaunchRequest.Builder request(ContainerId id, String script, String volumes)
      throws Exception {
    return LaunchRequest.builder(
            id, CommandInfo.newBuilder().setShell(true).setValue(script).build(), id.sandbox(outer))
        .info(volumes.isEmpty() ? Optional.empty() : Optional.of(info(volumes)));
  }

  private static String host(Path path, Path at, String mode) {
    return "volumes { mode: %s container_path: '%s' host_path: '%s' } ".formatted(mode, at, path);
  }

  private static String wanted(Path at) {
    return "grep -q host "
        + at
        + "/file && { echo x >"
        + at
        + "/file; } 2>&1 | grep -q 'Read-only file system'";
  }

  private void succeeds(LaunchRequest.Builder request) throws Exception {
    LaunchRequest built = request.build();
    Termination end = get(get(containers.launch(built)).termination());
    assertThat(end.succeeded())
        .as("%s: %s", end.describe(), Files.readString(built.sandbox().resolve("stderr")))
        .isTrue();
  }

  private void fails(LaunchRequest.Builder request, String words) {
    assertThatThrownBy(() -> get(containers.launch(request.build()))).hasMessageContaining(words);
  }

  @Test
  void foldersOfTheHostAreForReadingOnlyAndAnywhere() throws Exception {
    succeeds(
        request(
                OUTER,
                wanted(Path.of("in/ro"))
                    + " && "
                    + wanted(elsewhere)
                    + " && grep host one && echo new >rw/made && id -un | grep nobody"
                    + " && grep NoNewPrivs:.1 /proc/self/status",
                host(host, Path.of("in/ro"), "RO")
                    + host(host, elsewhere, "RO")
                    + host(host.resolve("file"), Path.of("one"), "RW")
                    + host(host, Path.of("rw"), "RW"))
            .user(Optional.of("nobody")));
    assertThat(host.resolve("made")).hasContent("new");
    assertThat(host.resolve("file")).hasContent("of the host");
    assertThat(outer.resolve("in/ro")).isEmptyDirectory();
    assertThat(Files.getOwner(outer.resolve("in"))).hasToString("nobody");
    assertThat(outer.resolve("one")).isEmptyFile();
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void whatIsNotThereIsNotMade() throws Exception {
    Path none = folder.resolve("none");
    fails(request(OUTER, "true", host(none, Path.of("x"), "RO")), "'" + none + "'");
    fails(
        request(ContainerId.of("b"), "true", host(host, none, "RO")),
        "`container_path` '" + none + "' of a volume");
    assertThat(none).doesNotExist();
    LaunchRequest.Builder link =
        request(ContainerId.of("c"), "true", host(host, Path.of("x/y"), "RO"));
    Files.createSymbolicLink(outer.resolve("x"), elsewhere);
    Files.createDirectory(elsewhere.resolve("y"));
    fails(link, "Too many levels of symbolic links");
  }

  @Test
  void nestedOnesAndThoseWhoLookAreInTheMountsOfTheirParents() throws Exception {
    get(
        containers.launch(
            request(
                    OUTER,
                    "sleep 1000",
                    host(host, Path.of("ro"), "RO")
                        + host(host, elsewhere, "RO")
                        + volume("SELF", "own", "self"))
                .build()));
    // As checks and sessions of the class DEBUG are.
    succeeds(
        LaunchRequest.builder(
            OUTER.child("debug"),
            CommandInfo.newBuilder()
                .setShell(true)
                .setValue(
                    wanted(Path.of("ro"))
                        + " && "
                        + wanted(elsewhere)
                        + " && echo word >self/word && grep NoNewPrivs:.1 /proc/self/status")
                .build(),
            outer));
    assertThat(outer.resolve("own/word")).hasContent("word");
    succeeds(
        request(
            OUTER.child("in"),
            wanted(elsewhere)
                + " && grep word at/word && ! touch at/more && mkdir here && mount | grep -q ' on "
                + folder
                + ".*/at '",
            volume("PARENT", "own", "at").replace("RW", "RO")));
    assertThat(outer.resolve("own/more")).doesNotExist();
    // The parent sees nothing of what is mounted in the nested one.
    assertThat(outer.resolve("containers/in/at")).isEmptyDirectory();
  }

  @Test
  void thoseInOneEnclosureShareFoldersEachInItsWay() throws Exception {
    get(containers.launch(LaunchRequest.enclosure(OUTER, outer).build()));
    succeeds(request(OUTER.child("a"), "echo host >at/file", volume("PARENT", "shared", "at")));
    succeeds(
        request(
                OUTER.child("b"),
                wanted(Path.of("at")) + " && " + wanted(elsewhere) + " && ! test -e volume/none",
                volume("PARENT", "shared", "at").replace("RW", "RO")
                    + volume("PARENT", "shared", elsewhere.toString()).replace("RW", "RO"))
            .mounts(List.of()));
    assertThat(outer.resolve("shared/file")).hasContent("host");
  }

  @Test
  void whatIsToBeMountedForItComesFirst() throws Exception {
    Files.createDirectory(outer.resolve("data"));
    succeeds(
        request(OUTER, wanted(Path.of("data")) + " && " + wanted(elsewhere), "")
            .mounts(
                List.of(
                    new BindMount(host, Path.of("data"), true),
                    new BindMount(host, elsewhere, true))));
  }

  @Test
  void aSuccessorOfTheAgentFindsThemAsTheyWere() throws Exception {
    get(
        containers.launch(
            request(OUTER, "sleep 1000", host(host, elsewhere, "RO")).kept().build()));
    containers.detach();
    containers = agent.containerizer("filesystem/linux");
    assertThat(get(containers.recover(id -> true))).hasSize(1);
    succeeds(
        LaunchRequest.builder(
            OUTER.child("check"),
            CommandInfo.newBuilder().setShell(true).setValue(wanted(elsewhere)).build(),
            outer));
    get(containers.destroy(OUTER));
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void withoutThemTheRemedyIsNamed() throws Exception {
    containers.selectIsolation(List.of("filesystem/posix"));
    fails(request(OUTER, "true", host(host, Path.of("x"), "RW")), "--isolation=filesystem/linux");
    fails(
        request(OUTER, "true", "").mounts(List.of(new BindMount(host, elsewhere, true))),
        "--isolation=filesystem/linux");
    assertThat(containers.mounts()).isFalse();
    containers.selectIsolation(List.of("volume/host_path"));
    fails(request(OUTER, "true", ""), "'volume/host_path' needs 'filesystem/linux'");
    containers.close(Duration.ofSeconds(30));
    containers = null;
    assertThatThrownBy(
            () -> agent.launching(LauncherChoice.SHELL).containerizer("filesystem/linux"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Isolation 'filesystem/linux' cannot be")
        .hasMessageContaining("--launcher=native")
        .hasMessageContaining("take it out of --isolation");
  }
}
