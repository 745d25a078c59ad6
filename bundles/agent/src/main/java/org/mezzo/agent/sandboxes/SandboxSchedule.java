package org.mezzo.agent.sandboxes;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which sandboxes of the past there are and since when, in a file for each span of time, so that
 * any number of them costs no memory. It is an index of what lies in the work directory, made anew
 * by each process. For one thread at a time, but for {@link #size}; blocks.
 */
final class SandboxSchedule {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxSchedule.class);

  /** How many files are open at once; while everything is looked at anew they come in no order. */
  private static final int MOST_OPEN = 32;

  private static final long SHORTEST_SPAN = 1000;
  private static final long LONGEST_SPAN = Duration.ofHours(1).toMillis();
  private static final int SPANS = 100;

  private final Path workDir;
  private final Path folder;
  private final long span;

  /** How many are in each span, by its first millisecond. */
  private final NavigableMap<Long, Integer> counts = new ConcurrentSkipListMap<>();

  private final Map<Long, Writer> open = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * Nothing is known yet.
   *
   * @param delay after which a sandbox goes; a hundredth of it, an hour at most, is how much later
   *     it may be
   */
  SandboxSchedule(Path workDir, Duration delay) {
    this.workDir = workDir;
    folder = workDir.resolve("meta").resolve("sandboxes");
    span = Math.max(SHORTEST_SPAN, Math.min(LONGEST_SPAN, delay.toMillis() / SPANS));
  }

  /** How many there are. Safe for any thread. */
  int size() {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Forgets everything. */
  void clear() throws IOException {
    close();
    counts.clear();
    Files.createDirectories(folder);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  /**
   * Notes a sandbox.
   *
   * @param sandbox below the work directory
   * @param since when nobody used it any more, in milliseconds of the epoch
   */
  void add(Path sandbox, long since) throws IOException {
    long first = since - Math.floorMod(since, span);
    Writer writer = open.get(first);
    if (writer == null) {
      writer = open(first);
    }
    writer.write(line(workDir.relativize(sandbox)));
    counts.merge(first, 1, Integer::sum);
  }

  private Writer open(long first) throws IOException {
    if (open.size() >= MOST_OPEN) {
      Long eldest = open.keySet().iterator().next();
      open.remove(eldest).close();
    }
    Files.createDirectories(folder);
    BufferedWriter writer =
        Files.newBufferedWriter(
            folder.resolve(Long.toString(first)),
            StandardOpenOption.CREATE,
            StandardOpenOption.APPEND);
    open.put(first, writer);
    return writer;
  }

  /** Writes what is in memory as yet. */
  void flush() throws IOException {
    for (Writer writer : open.values()) {
      writer.flush();
    }
  }

  /**
   * Takes out all that nobody has used since some time, the oldest first. What is added meanwhile
   * is not among them.
   *
   * @param before in milliseconds of the epoch
   */
  void take(long before, Consumer<Path> each) throws IOException {
    long now = Long.MIN_VALUE;
    while (true) {
      Long first = counts.higherKey(now);
      if (first == null || first + span - 1 > before) {
        return;
      }
      now = first;
      takeSpan(first, each);
    }
  }

  private void takeSpan(long first, Consumer<Path> each) throws IOException {
    Writer writer = open.remove(first);
    if (writer != null) {
      writer.close();
    }
    Path file = folder.resolve(Long.toString(first));
    Path taken = folder.resolve(first + ".taken");
    Files.move(file, taken, StandardCopyOption.REPLACE_EXISTING);
    counts.remove(first);
    try (BufferedReader lines = Files.newBufferedReader(taken)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        each.accept(workDir.resolve(path(line)));
      }
    }
    Files.delete(taken);
  }

  /** The names in it may contain anything. */
  private static String line(Path path) {
    return URLEncoder.encode(path.toString(), StandardCharsets.UTF_8) + "\n";
  }

  private static Path path(String line) {
    return Path.of(URLDecoder.decode(line, StandardCharsets.UTF_8));
  }

  void close() {
    for (Writer writer : open.values()) {
      try {
        writer.close();
      } catch (IOException e) {
        LOG.debug("The schedule of sandboxes is not written: it is made anew", e);
      }
    }
    open.clear();
  }
}
