package org.mezzo.containerizer.fetching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

class CommandsTest {
  /** Writes the ids of itself and of a child, which would both run for long. */
  private static final String LONG =
      "sleep 1000 & echo $$ $! >\"$1.part\"; mv \"$1.part\" \"$1\"; wait";

  @TempDir Path folder;

  private int run(Commands commands, String... line) throws IOException, InterruptedException {
    try (FetchLog log = FetchLog.open(folder, List.of())) {
      return commands.run(Optional.empty(), log, null, line);
    }
  }

  @Test
  void tellsStatusAndOutput() throws Exception {
    try (Commands commands = new Commands(Duration.ofMinutes(1), Thread::new)) {
      assertThat(run(commands, "sh", "-c", "echo out; echo err >&2; exit 3")).isEqualTo(3);
      assertThat(folder.resolve("stderr")).hasContent("out\nerr\n");
      assertThatThrownBy(() -> run(commands, "no-such-program"))
          .hasMessageContaining("no-such-program is needed and is not installed");
    }
  }

  @Test
  void aChildThatIsLeftBehindEndsWithTheProgram() throws Exception {
    try (Commands commands = new Commands(Duration.ofMinutes(1), Thread::new)) {
      Path pid = folder.resolve("pid");
      assertThat(run(commands, "sh", "-c", "sleep 1000 & echo $! >\"$1\"", "sh", "" + pid))
          .isZero();
      assertDead(pid);
    }
  }

  @Test
  void anInterruptKillsTheProgramAndItsChildren() throws Exception {
    try (Commands commands = new Commands(Duration.ofMinutes(1), Thread::new)) {
      Path pids = folder.resolve("pids");
      CompletableFuture<Throwable> outcome = new CompletableFuture<>();
      Thread thread =
          new Thread(
              () -> {
                try {
                  run(commands, "sh", "-c", LONG, "sh", pids.toString());
                  outcome.complete(null);
                } catch (IOException | InterruptedException e) {
                  outcome.complete(e);
                }
              });
      thread.start();
      Await.until(() -> Files.size(pids) > 0);
      thread.interrupt();
      assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
      assertDead(pids);
    }
  }

  @Test
  void theLimitKillsThemAsWell() throws Exception {
    Path pids = folder.resolve("pids");
    // On a slow machine nothing may have begun when the first limits are over.
    for (int seconds = 1; !Files.exists(pids); seconds *= 2) {
      try (Commands commands = new Commands(Duration.ofSeconds(seconds), Thread::new)) {
        assertThatThrownBy(() -> run(commands, "sh", "-c", LONG, "sh", pids.toString()))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("took more than");
      }
    }
    assertDead(pids);
  }

  private static void assertDead(Path pids) throws Exception {
    for (String pid : Files.readString(pids).strip().split(" ")) {
      Optional<ProcessHandle> process = ProcessHandle.of(Long.parseLong(pid));
      if (process.isPresent()) {
        process.get().onExit().get(60, TimeUnit.SECONDS);
      }
    }
  }
}
