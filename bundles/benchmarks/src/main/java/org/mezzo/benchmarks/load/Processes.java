package org.mezzo.benchmarks.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the kernel says about processes: their processor time and memory. */
final class Processes {
  private static final double TICKS_PER_MILLISECOND = 100 / 1000.0;

  private Processes() {}

  /** Milliseconds of processor time that a process has used, its children excluded. */
  static double used(long pid) {
    List<String> fields = stat(pid);
    return ticks(fields, 11) + ticks(fields, 12);
  }

  /** Milliseconds that a process and everybody whose end it has waited for have used. */
  static double usedWithChildren(long pid) {
    List<String> fields = stat(pid);
    return used(pid) + ticks(fields, 13) + ticks(fields, 14);
  }

  /** Resident memory of a process in MB. */
  static double residentMegabytes(long pid) {
    return kilobytes(Path.of("/proc/" + pid + "/status"), "VmRSS:") / 1024.0;
  }

  /** What a process holds alone and its share of what it shares, in KB. */
  static double proportionalKilobytes(long pid) {
    return kilobytes(Path.of("/proc/" + pid + "/smaps_rollup"), "Pss:");
  }

  /** The children of a process that go by a name. */
  static List<Long> children(long parent, String name) {
    List<Long> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      for (Path process : (Iterable<Path>) all::iterator) {
        String number = process.getFileName().toString();
        if (Character.isDigit(number.charAt(0)) && isChild(process, parent, name)) {
          found.add(Long.parseLong(number));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  private static boolean isChild(Path process, long parent, String name) throws IOException {
    try {
      return Files.readString(process.resolve("comm")).strip().equals(name)
          && stat(Long.parseLong(process.getFileName().toString()))
              .get(1)
              .equals(Long.toString(parent));
    } catch (NoSuchFileException gone) {
      return false;
    } catch (UncheckedIOException gone) {
      return false;
    }
  }

  /** What follows the name in {@code /proc/PID/stat}: the state first, the parent next. */
  private static List<String> stat(long pid) {
    try {
      String line =
          new String(
              Files.readAllBytes(Path.of("/proc/" + pid + "/stat")), StandardCharsets.ISO_8859_1);
      return List.of(line.substring(line.lastIndexOf(')') + 2).strip().split(" "));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double ticks(List<String> fields, int index) {
    return Long.parseLong(fields.get(index)) / TICKS_PER_MILLISECOND;
  }

  private static double kilobytes(Path file, String name) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
