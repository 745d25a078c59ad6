package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProcessLockTest {
  @TempDir Path dir;

  /** Tries once, as another process. */
  public static final class Other {
    public static void main(String[] args) throws Exception {
      Path file = Path.of(args[0]);
      System.out.println(
          ProcessLock.tryAcquire(file).isPresent() ? "taken" : ProcessLock.holder(file));
    }
  }

  private String other(Path file) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx32m",
                "-cp",
                System.getProperty("java.class.path"),
                Other.class.getName(),
                file.toString())
            .start();
    String answer = process.inputReader().readLine();
    process.waitFor();
    return answer;
  }

  @Test
  void isHeldByOneAndStaysSoWhenItsOwnProcessTriesAgain() throws Exception {
    Path file = dir.resolve("lock");
    String self = Long.toString(ProcessHandle.current().pid());
    assertThat(ProcessLock.holder(file)).isEqualTo("unknown");
    try (ProcessLock first = ProcessLock.tryAcquire(file).orElseThrow()) {
      assertThat(ProcessLock.tryAcquire(dir.resolve("./lock"))).isEmpty();
      assertThat(ProcessLock.holder(file)).isEqualTo(self);
      assertThat(other(file)).isEqualTo(self);
    }
    assertThat(other(file)).isEqualTo("taken");
    ProcessLock.tryAcquire(file).orElseThrow().close();
  }
}
