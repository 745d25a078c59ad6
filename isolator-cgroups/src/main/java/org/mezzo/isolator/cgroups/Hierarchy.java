package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A mounted cgroup hierarchy that has one controller.
 *
 * @param mount where it is mounted
 * @param unified whether it is of version 2
 */
record Hierarchy(Path mount, boolean unified) {

  /**
   * Looks at the mount table: a version 1 mount of the controller, or else a version 2 mount that
   * offers it. A kernel never has both.
   *
   * @param mountInfo the mount table, normally {@code /proc/self/mountinfo}
   * @param controller for example {@code memory}
   * @param preferred of several mounts, one below this folder is taken
   */
  static Optional<Hierarchy> find(Path mountInfo, String controller, Path preferred)
      throws IOException {
    List<Hierarchy> found = new ArrayList<>();
    for (String line : Files.readAllLines(mountInfo, StandardCharsets.ISO_8859_1)) {
      String[] words = line.split(" ");
      int separator = List.of(words).indexOf("-");
      if (separator < 5 || words.length < separator + 4) {
        continue;
      }
      Path mount = Path.of(unescape(words[4]));
      String type = words[separator + 1];
      if (type.equals("cgroup") && lists(words[separator + 3], ",", controller)) {
        found.add(new Hierarchy(mount, false));
      } else if (type.equals("cgroup2")
          && lists(ControlGroup.text(mount, "cgroup.controllers").orElse(""), " ", controller)) {
        found.add(new Hierarchy(mount, true));
      }
    }
    return found.stream()
        .min(
            Comparator.comparing(Hierarchy::unified)
                .thenComparing(hierarchy -> !hierarchy.mount.startsWith(preferred)));
  }

  private static boolean lists(String text, String separator, String word) {
    return List.of(text.strip().split(separator)).contains(word);
  }

  /** The mount table writes blanks and the like as three octal digits, in bytes. */
  private static String unescape(String word) {
    byte[] bytes = new byte[word.length()];
    int length = 0;
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == '\\' && i + 3 < word.length()) {
        bytes[length++] = (byte) Integer.parseInt(word.substring(i + 1, i + 4), 8);
        i += 3;
      } else {
        bytes[length++] = (byte) c;
      }
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
