package org.mezzo.agent.volumes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is mounted on this machine. */
final class MountTable {
  private static final Path TABLE = Path.of("/proc/self/mountinfo");

  private MountTable() {}

  /**
   * Whether something is mounted at exactly this path.
   *
   * @throws IOException when the path is not there, or the system does not tell
   */
  static boolean has(Path path) throws IOException {
    String wanted = path.toRealPath().toString();
    return new String(Files.readAllBytes(TABLE), StandardCharsets.UTF_8)
        .lines()
        .anyMatch(line -> wanted.equals(mountPoint(line)));
  }

  /** The fifth field, in which blanks and the like are octal numbers behind a backslash. */
  static String mountPoint(String line) {
    String[] fields = line.split(" ", 6);
    if (fields.length < 5) {
      return "";
    }
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < fields[4].length(); i++) {
      char c = fields[4].charAt(i);
      if (c == '\\' && i + 3 < fields[4].length()) {
        path.append((char) Integer.parseInt(fields[4].substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        path.append(c);
      }
    }
    return path.toString();
  }
}
