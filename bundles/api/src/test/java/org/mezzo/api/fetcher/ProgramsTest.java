package org.mezzo.api.fetcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

class ProgramsTest {
  /** Says its pid and that of a child, and goes on. */
  private static final String LONG =
      "sleep 1000 & echo $$ $! >\"$1.new\"; mv \"$1.new\" \"$1\"; wait";

  @TempDir Path folder;

  private static ProcessBuilder sh(String script, Path argument) {
    return new ProcessBuilder("sh", "-c", script, "sh", argument.toString());
  }

  private static List<Long> pids(Path file) throws IOException {
    Await.until("they run", () -> Files.exists(file));
    return Arrays.stream(Files.readString(file).strip().split(" ")).map(Long::valueOf).toList();
  }

  /** Whether somebody waits for one that was killed is up to the machine. */
  private static boolean alive(long pid) throws IOException {
    try {
      return !Files.readString(Path.of("/proc", "" + pid, "stat")).contains(") Z ");
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static void awaitGone(List<Long> pids) {
    for (long pid : pids) {
      Await.until("process " + pid + " is gone", () -> !alive(pid));
    }
  }

  @Test
  void readWhatTheyAreGiven() throws Exception {
    Path input = Files.writeString(folder.resolve("an input"), "text");
    Path output = folder.resolve("output");
    Process copy =
        Programs.UNBOUND.start(new ProcessBuilder("cat").redirectOutput(output.toFile()), input);
    assertThat(copy.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(copy.exitValue()).isZero();
    Programs.end(copy);
    assertThat(output).hasContent("text");
    Process nothing = Programs.UNBOUND.start(new ProcessBuilder("sh", "-c", "read x; exit 3"));
    assertThat(nothing.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(nothing.exitValue()).isEqualTo(3);
    Programs.end(nothing);
    for (String missing : new String[] {"no-such-program", "/no/such/program"}) {
      assertThatThrownBy(() -> Programs.UNBOUND.start(new ProcessBuilder(missing)))
          .isInstanceOf(IOException.class)
          .hasMessage(missing + " is needed and is not installed");
    }
  }

  @Test
  void endWithAllThatTheyStarted() throws Exception {
    Path file = folder.resolve("ended");
    Process ended = Programs.UNBOUND.start(sh(LONG, file));
    List<Long> pids = pids(file);
    assertThat(ended.toHandle().descendants().map(ProcessHandle::pid)).containsAll(pids);
    Programs.end(ended);
    assertThat(ended.isAlive()).isFalse();
    assertThat(ended.exitValue()).isEqualTo(128 + 9);
    awaitGone(pids);

    // One that leaves something behind, and nobody ends.
    Path left = folder.resolve("left");
    Process over = Programs.UNBOUND.start(sh(LONG.replace("wait", "exit 4"), left));
    assertThat(over.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(over.exitValue()).isEqualTo(4);
    awaitGone(pids(left));
  }

  /** As an agent that is killed. */
  @Test
  void endWithWhoStartedThem() throws Exception {
    Path file = folder.resolve("killed");
    Process starter =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Starter.class.getName(),
                file.toString())
            .inheritIO()
            .start();
    List<Long> pids = pids(file);
    starter.destroyForcibly();
    awaitGone(pids);
  }

  /** Starts one and waits for it. */
  static final class Starter {
    private Starter() {}

    public static void main(String[] arguments) throws Exception {
      Programs.UNBOUND.start(sh(LONG, Path.of(arguments[0]))).waitFor();
    }
  }
}
