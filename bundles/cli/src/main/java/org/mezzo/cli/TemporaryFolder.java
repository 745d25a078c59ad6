package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that does not outlive this process, however that ends, and neither do the tasks that run
 * in it: a small detached shell holds a pipe to this process, and when the pipe breaks it kills
 * what is left and deletes the folder.
 */
final class TemporaryFolder implements AutoCloseable {
  private final Path path;
  private final Process reaper;
  private boolean closed;

  private TemporaryFolder(Path path, Process reaper) {
    this.path = path;
    this.reaper = reaper;
  }

  /**
   * Makes the folder, for the owner's eyes only.
   *
   * @param prefix of its name
   */
  static TemporaryFolder create(String prefix) throws IOException {
    Path path = Files.createTempDirectory(prefix).toRealPath();
    String script;
    try (InputStream stream = TemporaryFolder.class.getResourceAsStream("reaper.sh")) {
      script = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
    Process reaper =
        new ProcessBuilder(List.of("/bin/sh", "-c", script, "mezzo-reaper", path.toString()))
            .directory(Path.of("/").toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    return new TemporaryFolder(path, reaper);
  }

  Path path() {
    return path;
  }

  /** Deletes the folder; the caller has seen to it that nothing runs in it any more. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    for (int attempt = 0; Files.exists(path); attempt++) {
      try (Stream<Path> paths = Files.walk(path)) {
        for (Path each : (Iterable<Path>) paths.sorted(Comparator.reverseOrder())::iterator) {
          Files.deleteIfExists(each);
        }
      } catch (IOException | UncheckedIOException e) {
        // Somebody still writes: the reaper kills before it deletes.
        if (attempt == 2) {
          reaper.getOutputStream().close();
          return;
        }
      }
    }
    try (OutputStream pipe = reaper.getOutputStream()) {
      pipe.write('\n');
    }
  }
}
