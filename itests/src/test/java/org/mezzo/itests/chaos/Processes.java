package org.mezzo.itests.chaos;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What {@code /proc} says; all of it may be outdated when it is returned. */
final class Processes {
  private static final Path PROC = Path.of("/proc");

  private Processes() {}

  /**
   * A process.
   *
   * @param name of its program, or what it calls itself
   * @param state one letter; {@code Z} of a zombie
   * @param started in clock ticks since boot
   * @param command its arguments, joined by spaces
   */
  record One(long pid, String name, char state, long parent, long started, String command) {}

  /** All of this machine. */
  static List<One> all() {
    try (Stream<Path> entries = Files.list(PROC)) {
      List<One> found = new ArrayList<>();
      entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> Character.isDigit(name.charAt(0)))
          .forEach(name -> find(Long.parseLong(name)).ifPresent(found::add));
      return found;
    } catch (IOException e) {
      return List.of();
    }
  }

  /** One of them, while there is it. */
  static Optional<One> find(long pid) {
    try {
      String stat = read(pid, "stat");
      int end = stat.lastIndexOf(')');
      String[] fields = stat.substring(end + 2).split(" ");
      return Optional.of(
          new One(
              pid,
              stat.substring(stat.indexOf('(') + 1, end),
              fields[0].charAt(0),
              Long.parseLong(fields[1]),
              Long.parseLong(fields[19]),
              read(pid, "cmdline").replace('\0', ' ')));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  /** The variables of a process as it was started, one a line; empty when they cannot be read. */
  static String environment(long pid) {
    try {
      return read(pid, "environ").replace('\0', '\n');
    } catch (IOException e) {
      return "";
    }
  }

  /** Where a process is; empty when that cannot be read. */
  static String directory(long pid) {
    try {
      return Files.readSymbolicLink(PROC.resolve(Long.toString(pid)).resolve("cwd")).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static String read(long pid, String file) throws IOException {
    return new String(
        Files.readAllBytes(PROC.resolve(Long.toString(pid)).resolve(file)),
        StandardCharsets.ISO_8859_1);
  }

  /** SIGKILL to a process, if it is still the one that was started then. */
  static boolean kill(long pid, long started) {
    return find(pid).filter(one -> one.started() == started && one.state() != 'Z').isPresent()
        && ProcessHandle.of(pid).map(ProcessHandle::destroyForcibly).orElse(false);
  }
}
