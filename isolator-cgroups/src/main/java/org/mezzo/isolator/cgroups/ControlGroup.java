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
import java.util.List;
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
  /** Stands for a number that there is not. */
  static final long ABSENT = -1;

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

  /**
   * The numbers of some lines {@code name number} of a file, in the order of their names; {@link
   * #ABSENT} where there is none. Makes nothing of the other lines, of which there are many.
   */
  long[] numbers(String file, List<String> names) {
    long[] numbers = new long[names.size()];
    Arrays.fill(numbers, ABSENT);
    Content content = content(folder, file).orElse(Content.EMPTY);
    byte[] bytes = content.bytes;
    int end;
    for (int begin = 0; begin < content.size; begin = end + 1) {
      int blank = begin;
      while (blank < content.size && bytes[blank] != ' ' && bytes[blank] != '\n') {
        blank++;
      }
      end = blank;
      while (end < content.size && bytes[end] != '\n') {
        end++;
      }
      for (int i = 0; i < numbers.length; i++) {
        if (blank < end && is(names.get(i), bytes, begin, blank)) {
          numbers[i] = number(bytes, blank + 1, end);
        }
      }
    }
    return numbers;
  }

  private static boolean is(String name, byte[] bytes, int begin, int end) {
    if (name.length() != end - begin) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) != bytes[begin + i]) {
        return false;
      }
    }
    return true;
  }

  private static long number(byte[] bytes, int begin, int end) {
    long number = 0;
    for (int i = begin; i < end; i++) {
      if (bytes[i] < '0' || bytes[i] > '9') {
        return ABSENT;
      }
      number = number * 10 + bytes[i] - '0';
    }
    return number;
  }

  /** All of them, of the text of such a file. */
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

  /** What is in a file; empty when there is none. */
  static Optional<String> text(Path folder, String file) {
    return content(folder, file)
        .map(it -> new String(it.bytes, 0, it.size, StandardCharsets.ISO_8859_1));
  }

  private record Content(byte[] bytes, int size) {
    static final Content EMPTY = new Content(new byte[0], 0);
  }

  /** Thousands a second are read this way. */
  private static Optional<Content> content(Path folder, String file) {
    try (FileInputStream in = new FileInputStream(new File(folder.toString(), file))) {
      byte[] bytes = new byte[FILE_BYTES];
      int size = 0;
      for (int more; (more = in.read(bytes, size, bytes.length - size)) > 0; ) {
        size += more;
        if (size == bytes.length) {
          bytes = Arrays.copyOf(bytes, 2 * size);
        }
      }
      return Optional.of(new Content(bytes, size));
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
