package org.mezzo.containerizer.fetching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.containerizer.FakeAgent;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.ModuleException;
import org.mezzo.protocol.v1.CommandInfo;

class UriFetcherTest {
  @TempDir Path folder;

  private static CommandInfo.URI.Builder uri(String value) {
    return CommandInfo.URI.newBuilder().setValue(value);
  }

  private Path sandbox() throws IOException {
    return Files.createDirectories(folder.resolve("sandbox"));
  }

  @ParameterizedTest
  @CsvSource({
    "http://host/a/b.tgz, b.tgz",
    "'  http://host/a/b?x=1', b?x=1",
    "/some/file, file",
    "file:///some/file, file",
    "relative/name, name"
  })
  void namesFilesAfterTheLastSlash(String value, String name) throws Exception {
    Path sandbox = sandbox();
    assertThat(UriFetcher.item(uri(value).build(), sandbox, Optional.of(folder)).target())
        .isEqualTo(sandbox.resolve(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "http://host", "http://host/", "a\\b", "it's", "/dir/", "relative", "/a/.."})
  void refusesWhatCannotBeFetched(String value) throws Exception {
    Path sandbox = sandbox();
    assertThatThrownBy(() -> UriFetcher.item(uri(value).build(), sandbox, Optional.empty()))
        .isInstanceOf(LaunchException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/abs", "../out", "a/../../out", "."})
  void refusesOutputFilesOutsideTheSandbox(String output) throws Exception {
    Path sandbox = sandbox();
    assertThatThrownBy(
            () ->
                UriFetcher.item(
                    uri("/a/b").setOutputFile(output).build(), sandbox, Optional.empty()))
        .isInstanceOf(LaunchException.class);
  }

  @Test
  void fetchesExtractsAndMarksExecutable() throws Exception {
    Path sandbox = sandbox();
    Path source = Files.createDirectories(folder.resolve("source"));
    Files.writeString(source.resolve("inside"), "in the archive");
    Process tar =
        new ProcessBuilder("tar", "-C", source.toString(), "-czf", folder + "/a.tgz", "inside")
            .start();
    assertThat(tar.waitFor()).isZero();
    Files.writeString(folder.resolve("tool"), "#!/bin/sh\n");
    FakeAgent agent = new FakeAgent(folder).with(Fetcher.KIND, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.options(), Runnable::run)) {
      fetcher.fetch(
          List.of(
              uri(folder + "/a.tgz").build(),
              uri(folder + "/tool").setExecutable(true).setOutputFile("bin/tool").build()),
          sandbox,
          Optional.empty());
      assertThat(sandbox.resolve("inside")).hasContent("in the archive");
      assertThat(sandbox.resolve("a.tgz")).exists();
      assertThat(sandbox.resolve("bin/tool")).isExecutable();

      Files.createSymbolicLink(sandbox.resolve("way"), folder);
      assertThatThrownBy(
              () ->
                  fetcher.fetch(
                      List.of(uri(folder + "/tool").setOutputFile("way/out").build()),
                      sandbox,
                      Optional.empty()))
          .hasMessageContaining("leads out of the sandbox");
      assertThatThrownBy(
              () ->
                  fetcher.fetch(
                      List.of(uri(folder + "/missing").build()), sandbox, Optional.empty()))
          .hasMessageContaining("Failed to fetch '" + folder + "/missing'");
      assertThatThrownBy(
              () -> fetcher.fetch(List.of(uri("s3://a/b").build()), sandbox, Optional.empty()))
          .hasMessageContaining("No fetcher module serves 's3'");
    }
    assertThat(sandbox.resolve("stderr")).content().contains("Fetching URI");
  }

  @Test
  void aFetcherThatIsSwappedDuringTheFetchIsFollowedByItsSuccessor() throws Exception {
    Path sandbox = sandbox();
    Files.writeString(folder.resolve("source"), "whole");
    FakeAgent agent = new FakeAgent(folder).with(Fetcher.KIND, "copy", new Copy());
    agent.failNextCall("fetch", ModuleException.Kind.STALE);
    try (UriFetcher fetcher = new UriFetcher(agent.options(), Runnable::run)) {
      fetcher.fetch(List.of(uri(folder + "/source").build()), sandbox, Optional.empty());
    }
    assertThat(sandbox.resolve("source")).hasContent("whole");
    assertThat(sandbox.resolve("stderr")).content().contains("trying its successor");
  }

  /** Needs root: an agent that is not root has no other rights than its tasks. */
  @Test
  void aTaskGetsOnlyWhatItsUserMayRead() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-fetch");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    Optional<UriFetcher.TaskUser> nobody =
        Optional.of(
            new UriFetcher.TaskUser(
                "nobody",
                List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--init-groups")));
    FakeAgent agent = new FakeAgent(folder).with(Fetcher.KIND, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.options(), Runnable::run)) {
      Path sandbox = Files.createDirectory(open.resolve("sandbox"));
      Files.setAttribute(sandbox, "unix:uid", 65534);
      Path secret = Files.writeString(open.resolve("secret"), "secret");
      Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
      Path free = Files.writeString(open.resolve("free"), "free");
      Path link = Files.createSymbolicLink(open.resolve("link"), secret);

      for (String text : List.of(secret.toString(), "file://" + secret, "file://" + link)) {
        assertThatThrownBy(() -> fetcher.fetch(List.of(uri(text).build()), sandbox, nobody))
            .isInstanceOf(LaunchException.class)
            .hasMessageContaining("Failed to fetch '" + text + "'")
            .hasMessageContaining("user 'nobody' may not read")
            .hasMessageContaining("make it readable");
      }
      assertThatThrownBy(
              () -> fetcher.fetch(List.of(uri(open.toString()).build()), sandbox, nobody))
          .hasMessageContaining("is not a file");
      // A link that is there already is replaced, not followed.
      Path precious = Files.writeString(open.resolve("precious"), "precious");
      Files.createSymbolicLink(sandbox.resolve("planted"), precious);
      fetcher.fetch(
          List.of(
              uri(free.toString()).setOutputFile("a/b").setExecutable(true).build(),
              uri("copy://" + free).setOutputFile("planted").build()),
          sandbox,
          nobody);
      assertThat(precious).hasContent("precious");
      assertThat(sandbox.resolve("planted")).hasContent("free");
      assertThat(sandbox.resolve("a/b")).hasContent("free").isExecutable();
      for (String name : List.of("a", "a/b", "planted")) {
        assertThat(Files.getOwner(sandbox.resolve(name)).getName()).as(name).isEqualTo("nobody");
      }
      assertThat(folder.resolve("work/fetching")).isEmptyDirectory();
    } finally {
      try (var files = Files.walk(open)) {
        for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  private static final class Copy implements Fetcher {
    @Override
    public Set<String> schemes() {
      return Set.of("file", "copy");
    }

    @Override
    public void fetch(Request request) throws IOException {
      Files.copy(Path.of(request.uri().getPath()), request.target());
    }
  }
}
