package org.mezzo.isolator.posix;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What is allocated on the disk below a directory, as du(1) finds it, which neither follows links
 * nor counts a file twice. For one thread at a time.
 */
final class DiskUse {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int LONGEST_OUTPUT = 1 << 20;
  private static final int LONGEST_NAME = 60;

  /** Something in a directory. */
  record Part(String name, long bytes) {}

  /**
   * How much it is, in bytes. Files that come and go meanwhile may count or not.
   *
   * @throws IOException when nothing could be found out
   */
  long of(Path directory) throws IOException, InterruptedException {
    List<Part> all = run(directory, "-s");
    if (all.isEmpty()) {
      throw new IOException("du says nothing of " + directory);
    }
    return all.get(0).bytes();
  }

  /** What uses most of those that are right in it, the largest first. */
  List<Part> largest(Path directory, int most) throws IOException, InterruptedException {
    return run(directory, "-a", "-d", "1").stream()
        .filter(part -> !part.name().isEmpty())
        .sorted(Comparator.comparingLong(Part::bytes).reversed())
        .limit(most)
        .toList();
  }

  private static List<Part> run(Path directory, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("du", "-x", "-k", "-0"));
    command.addAll(List.of(options));
    command.add("--");
    command.add(directory.toString());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    process.getOutputStream().close();
    byte[] output;
    Thread limit = limit(process);
    try {
      output = process.getInputStream().readNBytes(LONGEST_OUTPUT);
    } finally {
      process.destroyForcibly();
      limit.interrupt();
    }
    return parts(directory, new String(output, StandardCharsets.UTF_8));
  }

  /** A disk that does not answer must not hold up all containers. */
  private static Thread limit(Process process) {
    Thread thread =
        new Thread(
            () -> {
              try {
                // What has ended is left alone, for its output goes with it.
                if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                  process.destroyForcibly();
                }
              } catch (InterruptedException e) {
                // It has ended in time.
              }
            },
            "disk-watch-limit");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static List<Part> parts(Path directory, String output) {
    List<Part> parts = new ArrayList<>();
    for (String line : output.split("\0")) {
      int tab = line.indexOf('\t');
      if (tab <= 0) {
        continue;
      }
      String path = line.substring(tab + 1);
      String name =
          path.length() > directory.toString().length()
              ? path.substring(directory.toString().length() + 1)
              : "";
      parts.add(new Part(plain(name), Long.parseLong(line.substring(0, tab).strip()) * 1024));
    }
    return parts;
  }

  /** Names are the task's, and go into a message. */
  private static String plain(String name) {
    String plain = name.replaceAll("\\p{Cntrl}", "?");
    return plain.length() <= LONGEST_NAME ? plain : plain.substring(0, LONGEST_NAME) + "...";
  }
}
