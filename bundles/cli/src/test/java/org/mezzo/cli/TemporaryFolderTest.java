package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

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
  void theReaperKillsWhatIsLeftWhenThePipeBreaks() throws Exception {
    Path folder = Files.createDirectory(directory.resolve("cluster"));
    ProcessBuilder marked = new ProcessBuilder("sleep", "1000");
    marked.environment().put("MESOS_SANDBOX", folder.resolve("sandbox").toString());
    Process byEnvironment = marked.start();
    Process byRecord = new ProcessBuilder("sleep", "1000").start();
    Process stranger = new ProcessBuilder("sleep", "1000").start();
    try {
      record(folder, "one", byRecord, 0);
      record(folder, "reused", stranger, 1);
      Process reaper = reaper(folder);
      assertThat(byEnvironment.isAlive()).isTrue();

      reaper.getOutputStream().close();

      assertThat(reaper.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(byEnvironment.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(byRecord.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(stranger.isAlive()).isTrue();
      assertThat(folder).doesNotExist();
    } finally {
      byEnvironment.destroyForcibly();
      byRecord.destroyForcibly();
      stranger.destroyForcibly();
    }
  }

  private static Process reaper(Path folder) throws Exception {
    try (InputStream script = TemporaryFolder.class.getResourceAsStream("reaper.sh")) {
      return new ProcessBuilder(
              "/bin/sh",
              "-c",
              new String(script.readAllBytes(), StandardCharsets.UTF_8),
              "reaper",
              folder.toString())
          .inheritIO()
          .redirectInput(ProcessBuilder.Redirect.PIPE)
          .start();
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
