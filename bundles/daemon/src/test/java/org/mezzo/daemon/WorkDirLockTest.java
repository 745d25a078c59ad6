package org.mezzo.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkDirLockTest {
  @TempDir Path dir;

  /** Locks the directory until it is killed. */
  public static final class Holder {
    public static void main(String[] args) throws Exception {
      WorkDirLock.acquire(Path.of(args[0]), "master");
      System.out.println("locked");
      Thread.sleep(60_000);
    }
  }

  @Test
  void refusesASecondOfTheSameRole() throws Exception {
    Path work = dir.resolve("new/work");
    try (WorkDirLock first = WorkDirLock.acquire(work, "master")) {
      assertThatThrownBy(() -> WorkDirLock.acquire(work, "master"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(work.toString())
          .hasMessageContaining("process " + ProcessHandle.current().pid());
      WorkDirLock.acquire(work, "agent").close();
    }
    WorkDirLock.acquire(work, "master").close();
  }

  @Test
  void endsWithTheProcessThatHoldsIt() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx32m",
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                dir.toString())
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("locked");
      assertThatThrownBy(() -> WorkDirLock.acquire(dir, "master"))
          .hasMessageContaining("process " + holder.pid());
    } finally {
      holder.destroyForcibly().waitFor();
    }
    WorkDirLock.acquire(dir, "master").close();
  }
}
