package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

@EnabledOnOs(OS.LINUX)
class TemporaryFolderTest {
  @TempDir Path directory;

  @Test
  void nothingIsLeftAfterAnOrderlyEnd() throws Exception {
    Path path;
    try (TemporaryFolder folder = TemporaryFolder.create("mezzo-test-")) {
      path = folder.path();
      Files.writeString(Files.createDirectories(path.resolve("a/b")).resolve("c"), "text");
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void whatIsLeftIsKilledWhenTheOwnerIsGone() throws Exception {
    Path folder = Files.createDirectory(directory.resolve("cluster"));
    ProcessBuilder marked = new ProcessBuilder("sleep", "1000");
    marked.environment().put("MESOS_SANDBOX", folder.resolve("sandbox").toString());
    Process byEnvironment = marked.start();
    Process owner = new ProcessBuilder("sleep", "1000").start();
    Process byRecord = new ProcessBuilder("sleep", "1000").start();
    Process stranger = new ProcessBuilder("sleep", "1000").start();
    try {
      record(folder, "one", byRecord, 0);
      record(folder, "reused", stranger, 1);
      TemporaryFolder.watch(folder, owner.pid());
      assertThat(byEnvironment.isAlive()).isTrue();

      owner.destroyForcibly();

      assertThat(byEnvironment.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(byRecord.waitFor(60, TimeUnit.SECONDS)).isTrue();
      Await.until("the folder is gone", () -> !Files.exists(folder));
      assertThat(stranger.isAlive()).isTrue();
    } finally {
      owner.destroyForcibly();
      byEnvironment.destroyForcibly();
      byRecord.destroyForcibly();
      stranger.destroyForcibly();
    }
  }

  private static void record(Path folder, String container, Process process, long shift)
      throws Exception {
    String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
    long start = Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
    Path files = folder.resolve("run/local/agent-1/containers").resolve(container);
    Files.writeString(
        Files.createDirectories(files).resolve("pid"),
        process.pid() + " " + (start + shift) + "\n");
  }
}
