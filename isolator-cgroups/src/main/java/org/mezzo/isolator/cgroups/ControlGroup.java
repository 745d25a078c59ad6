package org.mezzo.isolator.cgroups;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
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
  /** More than most files have. */
  private static final int FILE_BYTES = 2048;

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
    return numbersIn(text(folder, file).orElse(""));
  }

  /** The same of the text of such a file. */
  static Map<String, Long> numbersIn(String text) {
    Map<String, Long> numbers = new HashMap<>();
    int end;
    for (int begin = 0; begin < text.length(); begin = end + 1) {
      end = text.indexOf('\n', begin);
      end = end < 0 ? text.length() : end;
      int blank = text.indexOf(' ', begin);
      if (blank > begin && blank < end) {
        try {
          numbers.put(text.substring(begin, blank), Long.parseLong(text, blank + 1, end, 10));
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

  /** What is in a file; empty when there is none. Thousands a second are read this way. */
  static Optional<String> text(Path folder, String file) {
    try (FileInputStream in = new FileInputStream(new File(folder.toString(), file))) {
      byte[] bytes = new byte[FILE_BYTES];
      int size = 0;
      for (int more; (more = in.read(bytes, size, bytes.length - size)) > 0; ) {
        size += more;
        if (size == bytes.length) {
          bytes = Arrays.copyOf(bytes, 2 * size);
        }
      }
      return Optional.of(new String(bytes, 0, size, StandardCharsets.ISO_8859_1));
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
