package org.mezzo.fetcher.hadoop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.fetcher.Programs;

/**
 * A program that ran to its end.
 *
 * @param output the begin of what it wrote
 * @param errors the end of what it complained of
 */
record ClientRun(int status, String output, String errors) {
  private static final int MOST_SAID = 8192;
  private static final Duration GLANCE = Duration.ofSeconds(1);

  /**
   * Runs one. Blocks; an interrupt kills it with its children, and so does the agent's end.
   *
   * @param programs starts it
   * @param growing a folder in which files grow as long as it gets on, or null for no such folder
   * @param stall the longest that nothing grows; without a folder the longest that it may take
   */
  static ClientRun of(Programs programs, List<String> command, Path growing, Duration stall)
      throws IOException, InterruptedException {
    // To files, so that nothing has to read while it runs, and no child of it keeps a pipe open.
    Path output = Files.createTempFile("mezzo-hadoop", ".out");
    Path errors = Files.createTempFile("mezzo-hadoop", ".err");
    try {
      Process process =
          programs.start(
              new ProcessBuilder(command)
                  .redirectOutput(output.toFile())
                  .redirectError(errors.toFile()));
      try {
        await(process, growing, stall);
        return new ClientRun(process.exitValue(), first(output), last(errors));
      } finally {
        Programs.end(process);
      }
    } finally {
      Files.deleteIfExists(output);
      Files.deleteIfExists(errors);
    }
  }

  private static void await(Process process, Path growing, Duration stall)
      throws IOException, InterruptedException {
    long size = 0;
    long grown = System.nanoTime();
    while (!process.waitFor(GLANCE.toMillis(), TimeUnit.MILLISECONDS)) {
      long now = System.nanoTime();
      long found = growing == null ? 0 : size(growing);
      if (found != size) {
        size = found;
        grown = now;
      } else if (now - grown >= stall.toNanos()) {
        throw new IOException(
            "The hadoop client stalled: no byte for "
                + stall.toMillis() / 1000.0
                + " s after "
                + size
                + " bytes; look at the file system it reads, or raise --fetcher_stall_timeout");
      }
    }
  }

  private static long size(Path folder) {
    long size = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        size += Files.size(file);
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It has just given a file its name.
      return size;
    }
    return size;
  }

  private static String first(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MOST_SAID), StandardCharsets.UTF_8);
    }
  }

  private static String last(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      in.skipNBytes(Math.max(0, Files.size(file) - MOST_SAID));
      return new String(in.readNBytes(MOST_SAID), StandardCharsets.UTF_8);
    }
  }
}
