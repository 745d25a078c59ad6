package org.mezzo.fetcher.hadoop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Uris;
import org.mezzo.fixtures.Await;
import org.mezzo.testing.FakeDaemonContext;

/** With a stand-in of the client, which says what it was told to do. */
class HadoopFetcherTest {
  @TempDir Path folder;
  private final HadoopFetcher fetcher = new HadoopFetcher();
  private final List<String> progress = new ArrayList<>();
  private Path target;

  @BeforeEach
  void open() throws IOException {
    target = Files.createDirectory(folder.resolve("target")).resolve("fetched");
    fetcher.open(
        FakeDaemonContext.agent()
            .withFlags(Map.of("hadoop_home", folder.resolve("home").toString())));
  }

  private void client(String script) throws IOException {
    Path client = Files.createDirectories(folder.resolve("home/bin")).resolve("hadoop");
    Files.writeString(client, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(client, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private void fetch(String uri, Duration stall) throws Exception {
    fetcher.fetch(Fetcher.Request.of(Uris.parse(uri), target, stall, progress::add));
  }

  @Test
  void hasTheClientCopy() throws Exception {
    client("[ \"$1 $2 $3\" = \"fs -copyToLocal hdfs://name:8020/a b?x\" ] && echo data >\"$4\"");
    fetch("hdfs://name:8020/a b?x", Duration.ofSeconds(60));
    assertThat(target).hasContent("data\n");
    assertThat(progress).anyMatch(line -> line.contains("fs -copyToLocal"));
  }

  @Test
  void asksTheClientForSizeAndTime() throws Exception {
    client("echo 'WARN of something'; echo \"1234 1700000000000\"");
    assertThat(fetcher.describe(URI.create("hdfs://name/a")))
        .isEqualTo(new Fetcher.Description(Optional.of(1234L), Optional.of("1700000000000")));
    client("echo what");
    assertThat(fetcher.describe(URI.create("hdfs://name/a")))
        .isEqualTo(Fetcher.Description.UNKNOWN);
  }

  @Test
  void passesOnWhatTheClientComplainsOf() throws Exception {
    client("echo \"copyToLocal: \\`$3': No such file\" >&2; exit 1");
    assertThatThrownBy(() -> fetch("s3a://key:secret@bucket/a", Duration.ofSeconds(60)))
        .hasMessageContaining("status 1 for 's3a://bucket/a'")
        .hasMessageContaining("No such file")
        .hasMessageNotContaining("secret");
    client("mkdir \"$4\"");
    assertThatThrownBy(() -> fetch("hdfs://name/folder", Duration.ofSeconds(60)))
        .hasMessageContaining("is a folder");
  }

  @Test
  void saysThatThereIsNoClient() {
    assertThat(fetcher.schemes()).contains("hdfs", Fetcher.ANY_OTHER);
    assertThatThrownBy(() -> fetch("foo://name/a", Duration.ofSeconds(60)))
        .hasMessageContaining("'foo' is served by no fetcher module of its own")
        .hasMessageContaining("--hadoop_home");
  }

  @Test
  void killsAClientThatStallsOrIsNotWanted() throws Exception {
    client("echo $$ >\"$4.part\"; mv \"$4.part\" \"$4.pid\"; sleep 1000 & wait");
    Path pid = target.resolveSibling("fetched.pid");
    // On a slow machine nothing may have begun when the first limits are over.
    for (int seconds = 1; !Files.exists(pid); seconds *= 2) {
      Duration stall = Duration.ofSeconds(seconds);
      assertThatThrownBy(() -> fetch("hdfs://name/a", stall))
          .hasMessageContaining("stalled: no byte for " + seconds + ".0 s");
    }
    assertEnded();
    CompletableFuture<Exception> outcome = new CompletableFuture<>();
    Files.delete(pid);
    Thread thread =
        new Thread(
            () -> {
              try {
                fetch("hdfs://name/a", Duration.ofSeconds(600));
                outcome.complete(null);
              } catch (Exception e) {
                outcome.complete(e);
              }
            });
    thread.start();
    Await.until("it runs", () -> Files.exists(pid));
    thread.interrupt();
    assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    assertEnded();
  }

  private void assertEnded() throws Exception {
    long pid = Long.parseLong(Files.readString(target.resolveSibling("fetched.pid")).strip());
    Optional<ProcessHandle> process = ProcessHandle.of(pid);
    if (process.isPresent()) {
      process.get().onExit().get(60, TimeUnit.SECONDS);
    }
  }
}
