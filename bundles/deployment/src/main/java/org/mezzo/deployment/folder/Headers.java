package org.mezzo.deployment.folder;

import java.util.ArrayList;
import java.util.List;

/** Headers of a bundle's manifest: clauses between commas, each with names and parameters. */
final class Headers {
  private Headers() {}

  /**
   * The names of a header.
   *
   * @param header may be null
   */
  static List<String> names(String header) {
    List<String> names = new ArrayList<>();
    if (header != null) {
      for (String clause : split(header, ',')) {
        for (String part : split(clause, ';')) {
          // Names come first, and a name has no equals sign.
          if (part.isBlank() || part.contains("=")) {
            break;
          }
          names.add(part.strip());
        }
      }
    }
    return names;
  }

  private static List<String> split(String text, char separator) {
    List<String> parts = new ArrayList<>();
    boolean quoted = false;
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == separator && !quoted) {
        parts.add(text.substring(from, i));
        from = i + 1;
      }
    }
    parts.add(text.substring(from));
    return parts;
  }
}
