package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * One cgroup of one container and the files in it.
 *
 * @param folder absolute
 * @param unified whether it is of version 2
 */
record ControlGroup(Path folder, boolean unified) {

  /** Writes a value into a file that the kernel made; the error names file and value. */
  void write(String file, String value) throws IOException {
    Path path = folder.resolve(file);
    try {
      // Without CREATE: a missing file is a missing feature of the kernel.
      Files.writeString(
          path, value, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    } catch (IOException e) {
      throw new IOException("Cannot write '" + value + "' to " + path + ": " + reason(e), e);
    }
  }

  void write(String file, long value) throws IOException {
    write(file, Long.toString(value));
  }

  boolean has(String file) {
    return Files.exists(folder.resolve(file));
  }

  /** The number in a file; empty when there is no file or no number, such as {@code max}. */
  OptionalLong number(String file) {
    try {
      Optional<String> text = text(folder, file);
      return text.isPresent()
          ? OptionalLong.of(Long.parseLong(text.get().strip()))
          : OptionalLong.empty();
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  /** The lines {@code name number} of a file; lines of another form are passed over. */
  Map<String, Long> numbers(String file) {
    Map<String, Long> numbers = new HashMap<>();
    for (String line : text(folder, file).orElse("").split("\n")) {
      int blank = line.indexOf(' ');
      if (blank > 0) {
        try {
          numbers.put(line.substring(0, blank), Long.parseLong(line.substring(blank + 1).strip()));
        } catch (NumberFormatException e) {
          continue;
        }
      }
    }
    return numbers;
  }

  /** The processes in it. */
  Set<Long> processes() {
    Set<Long> pids = new TreeSet<>();
    for (String line : text(folder, "cgroup.procs").orElse("").split("\n")) {
      if (!line.isBlank()) {
        pids.add(Long.parseLong(line.strip()));
      }
    }
    return pids;
  }

  /** Moves a process into it; what it forks from then on is in it too. */
  void enter(long pid) throws IOException {
    write("cgroup.procs", pid);
  }

  static Optional<String> text(Path folder, String file) {
    try {
      return Optional.of(Files.readString(folder.resolve(file)));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** What went wrong, without the path that Java puts in front. */
  static String reason(IOException e) {
    if (e instanceof java.nio.file.AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof java.nio.file.NoSuchFileException) {
      return "no such file";
    }
    if (e instanceof java.nio.file.FileSystemException failure && failure.getReason() != null) {
      return failure.getReason();
    }
    return String.valueOf(e.getMessage());
  }
}
