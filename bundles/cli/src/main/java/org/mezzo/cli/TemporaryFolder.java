package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.mezzo.files.TreeDeletion;

/**
 * A folder that does not outlive this process, however that ends, and neither do the tasks that run
 * in it: a small shell, detached so that it survives whatever kills this process and its children,
 * waits for the end, kills what is left and deletes the folder.
 */
final class TemporaryFolder implements AutoCloseable {
  private static final int ATTEMPTS = 3;

  /** Position behind the name of the program in {@code /proc/PID/stat}. */
  private static final int START_TIME = 19;

  /** Backgrounds its first argument, in a session of its own where the system has the command. */
  private static final String DETACH =
      "detach=$(command -v setsid); $detach /bin/sh -c \"$@\" </dev/null >/dev/null 2>&1 &";

  private final Path path;
  private boolean closed;

  private TemporaryFolder(Path path) {
    this.path = path;
  }

  /**
   * Makes the folder, for the owner's eyes only.
   *
   * @param prefix of its name
   */
  static TemporaryFolder create(String prefix) throws IOException {
    Path path = Files.createTempDirectory(prefix).toRealPath();
    watch(path, ProcessHandle.current().pid());
    return new TemporaryFolder(path);
  }

  /** Starts the shell that waits for the end of a process. */
  static void watch(Path folder, long pid) throws IOException {
    String script;
    try (InputStream stream = TemporaryFolder.class.getResourceAsStream("reaper.sh")) {
      script = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    String begin = stat.substring(stat.lastIndexOf(')') + 2).split(" ")[START_TIME];
    new ProcessBuilder(
            List.of(
                "/bin/sh",
                "-c",
                DETACH,
                "mezzo",
                script,
                "mezzo-reaper",
                folder.toString(),
                Long.toString(pid),
                begin))
        .directory(Path.of("/").toFile())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  Path path() {
    return path;
  }

  /** Deletes the folder; the caller has seen to it that nothing runs in it any more. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (int attempt = 0; Files.exists(path); attempt++) {
      try {
        TreeDeletion.delete(path);
      } catch (IOException e) {
        if (attempt == ATTEMPTS) {
          // Somebody still writes: left to the shell, which kills before it deletes.
          return;
        }
      }
    }
  }
}
