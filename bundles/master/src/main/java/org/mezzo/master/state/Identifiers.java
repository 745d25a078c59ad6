package org.mezzo.master.state;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The syntax of ids that clients choose (rule 74). */
public final class Identifiers {
  private static final int MAX_BYTES = 255;

  private Identifiers() {}

  /** What is wrong with an id. */
  public static Optional<String> problem(String id) {
    if (id.isEmpty()) {
      return Optional.of("ID must not be empty");
    }
    if (id.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
      return Optional.of("ID must not be greater than " + MAX_BYTES + " characters");
    }
    if (id.equals(".") || id.equals("..")) {
      return Optional.of("'" + id + "' is disallowed");
    }
    if (id.chars().anyMatch(c -> c < 0x20 || c == 0x7f || c == '/' || c == '\\')) {
      return Optional.of("'" + id + "' contains invalid characters");
    }
    return Optional.empty();
  }
}
