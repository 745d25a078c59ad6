package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.mezzo.containerizer.ContainerVolumeTest.info;
import static org.mezzo.containerizer.ContainerVolumeTest.volume;

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

/** Folders of sandboxes in containers beside, in and under others. */
class SharedFoldersTest {
  private static final ContainerId OUTER = ContainerId.of("outer");

  @TempDir Path folder;
  private Containerizer containers;
  private Path outer;

  @BeforeEach
  void open() throws Exception {
    containers = new FakeAgent(folder).containerizer();
    outer = Files.createDirectory(folder.resolve("outer"));
  }

  @AfterEach
  void close() {
    containers.close(Duration.ofSeconds(30));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private LaunchRequest.Builder request(ContainerId id, String script, String volumes)
      throws Exception {
    return LaunchRequest.builder(
            id, CommandInfo.newBuilder().setShell(true).setValue(script).build(), id.sandbox(outer))
        .info(Optional.of(info(volumes)));
  }

  private void succeeds(LaunchRequest.Builder request) throws Exception {
    assertThat(get(get(containers.launch(request.build())).termination()).succeeded()).isTrue();
  }

  @Test
  void thoseInOneEnclosureShareItsFolders() throws Exception {
    get(containers.launch(LaunchRequest.enclosure(OUTER, outer).build()));
    succeeds(
        request(
            OUTER.child("a"), "echo word > at/deep/file", volume("PARENT", "shared/b", "at/deep")));
    succeeds(
        request(OUTER.child("b"), "grep word other/b/file", volume("PARENT", "shared", "other")));
    assertThat(outer.resolve("shared/b/file")).hasContent("word");
    try (var left = Files.list(outer)) {
      assertThat(left.map(it -> it.getFileName().toString()))
          .containsExactlyInAnyOrder("containers", "shared");
    }
    assertThatThrownBy(
            () ->
                get(
                    containers.launch(
                        request(OUTER.child("c"), "true", volume("PARENT", "shared/b/file/x", "x"))
                            .build())))
        .isInstanceOf(Exception.class)
        .hasMessageContaining("shared/b/file/x");
  }

  @Test
  void oneHasItsOwnElsewhereAndThatOfAProcessAround() throws Exception {
    get(
        containers.launch(
            request(OUTER, "touch view/seen; exec sleep 1000", volume("SELF", "own", "view"))
                .build()));
    succeeds(
        request(
            OUTER.child("in"),
            "until [ -e in/seen ]; do sleep 0.1; done",
            volume("PARENT", "own", "in")));
    assertThatThrownBy(
            () ->
                get(
                    containers.launch(
                        LaunchRequest.builder(
                                OUTER.child("debug"), CommandInfo.getDefaultInstance(), outer)
                            .info(Optional.of(info(volume("SELF", "own", "y"))))
                            .build())))
        .hasMessageContaining("leave `container.volumes` out");
  }

  /** What is asked for twice, or is in the way, is not taken for made. */
  @Test
  void whatIsThereIsNotReplaced() throws Exception {
    assertThatThrownBy(
            () ->
                get(
                    containers.launch(
                        request(OUTER.child("in"), "true", volume("PARENT", "a", "x")).build())))
        .hasMessageContaining("does not run");
    Files.createDirectories(outer.resolve("x"));
    assertThatThrownBy(
            () -> get(containers.launch(request(OUTER, "true", volume("SELF", "a", "x")).build())))
        .hasMessageContaining("something else is there already");
  }

  @Test
  void foldersAreOfTheirSandboxesUser() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root switches users");
    for (Path open = folder; open.startsWith("/tmp"); open = open.getParent()) {
      if (!open.equals(Path.of("/tmp"))) {
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }
    Files.setPosixFilePermissions(outer, PosixFilePermissions.fromString("rwx--x--x"));
    Path given = Files.createDirectory(folder.resolve("given"));
    Files.createDirectory(outer.resolve("containers"));
    Files.createSymbolicLink(outer.resolve("lent"), given);
    get(
        containers.launch(
            LaunchRequest.enclosure(OUTER, outer).user(Optional.of("nobody")).build()));
    // The first to come is of somebody else.
    succeeds(request(OUTER.child("a"), "true", volume("PARENT", "shared/deep", "at")));
    succeeds(
        request(
                OUTER.child("b"),
                "touch at/file lent/file && ! touch /proc/self/cwd/../../shared/../file",
                volume("PARENT", "shared/deep", "at") + volume("PARENT", "lent", "lent"))
            .shared(List.of(given))
            .user(Optional.of("nobody")));
    for (Path made :
        List.of(
            outer.resolve("shared"), outer.resolve("shared/deep"), given, given.resolve("file"))) {
      assertThat(Files.getOwner(made)).as(made.toString()).hasToString("nobody");
    }
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(outer.resolve("shared"))))
        .isEqualTo("rwxr-x---");

    // Its user lets a folder lead where only the agent could make anything.
    Path closed = Files.createDirectory(folder.resolve("closed"));
    Files.delete(outer.resolve("shared/deep/file"));
    Files.delete(outer.resolve("shared/deep"));
    Files.createSymbolicLink(outer.resolve("shared/deep"), closed);
    assertThatThrownBy(
            () ->
                get(
                    containers.launch(
                        request(OUTER.child("c"), "true", volume("PARENT", "shared/deep/x", "at"))
                            .build())))
        .hasMessageContaining("its user 'nobody' may not write there");
    assertThat(closed).isEmptyDirectory();
  }
}
