package org.mezzo.containerizer.fetching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        new ProcessBuilder(
                "tar", "-C", source.toString(), "-czf", folder + "/a.tgz", "inside")
            .start();
    assertThat(tar.waitFor()).isZero();
    Files.writeString(folder.resolve("tool"), "#!/bin/sh\n");
    FakeAgent agent = new FakeAgent(folder).with(Fetcher.KIND, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.options(), Runnable::run)) {
      fetcher.fetch(
          List.of(
              uri(folder + "/a.tgz").build(),
              uri(folder + "/tool").setExecutable(true).setOutputFile("bin/tool").build()),
          sandbox);
      assertThat(sandbox.resolve("inside")).hasContent("in the archive");
      assertThat(sandbox.resolve("a.tgz")).exists();
      assertThat(sandbox.resolve("bin/tool")).isExecutable();

      Files.createSymbolicLink(sandbox.resolve("way"), folder);
      assertThatThrownBy(
              () ->
                  fetcher.fetch(
                      List.of(uri(folder + "/tool").setOutputFile("way/out").build()), sandbox))
          .hasMessageContaining("leads out of the sandbox");
      assertThatThrownBy(
              () -> fetcher.fetch(List.of(uri(folder + "/missing").build()), sandbox))
          .hasMessageContaining("Failed to fetch '" + folder + "/missing'");
      assertThatThrownBy(() -> fetcher.fetch(List.of(uri("s3://a/b").build()), sandbox))
          .hasMessageContaining("No fetcher module serves 's3'");
    }
    assertThat(sandbox.resolve("stderr")).content().contains("Fetching URI");
  }

  private static final class Copy implements Fetcher {
    @Override
    public Set<String> schemes() {
      return Set.of("file");
    }

    @Override
    public void fetch(Request request) throws IOException {
      Files.copy(Path.of(request.uri()), request.target());
    }
  }
}
