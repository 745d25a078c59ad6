package org.mezzo.containerizer.processes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcFsTest {
  @TempDir Path folder;

  @Test
  void whatTheKernelSaysOfAProcessIsUnderstoodWhateverItsName() throws Exception {
    Path odd = folder.resolve("a) 1 (b");
    Files.copy(Path.of("/bin/sh").toRealPath(), odd);
    assertThat(odd.toFile().setExecutable(true)).isTrue();
    // It waits for its input.
    Process process = new ProcessBuilder(odd.toString(), "-c", "read line").start();
    try {
      ProcFs.Stat stat = ProcFs.stat(process.pid()).orElseThrow();
      String[] fields =
          Files.readString(Path.of("/proc/" + process.pid() + "/stat"))
              .replace("(a) 1 (b)", "name")
              .strip()
              .split(" ");
      assertThat(stat.pid()).isEqualTo(process.pid());
      assertThat(stat.parent()).isEqualTo(ProcessHandle.current().pid());
      assertThat(stat.dead()).isFalse();
      assertThat(stat.group()).isEqualTo(Long.parseLong(fields[4]));
      assertThat(stat.session()).isEqualTo(Long.parseLong(fields[5]));
      assertThat(stat.threads()).isEqualTo(1);
      assertThat(stat.startTime()).isEqualTo(Long.parseLong(fields[21]));
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(ProcFs.stat(process.pid())).isEmpty();
    // The kernel is not exact about few pages.
    assertThat(ProcFs.stat(ProcessHandle.current().pid()).orElseThrow().rssPages())
        .isBetween(1_000L, 10_000_000L);
  }
}
