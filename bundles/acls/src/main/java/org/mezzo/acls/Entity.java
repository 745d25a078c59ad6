package org.mezzo.acls;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The principals or the objects of an entry. Immutable, safe for any thread.
 *
 * @param type whether it is about everything, or about what it names
 * @param values what it names
 * @param below of roles, the beginnings of what it is about, each with a slash at its end
 */
public record Entity(Type type, Set<String> values, List<String> below) {
  private static final String ALL_BELOW = "/%";

  /** As Mesos names them. */
  public enum Type {
    /** What is named; the default. */
    SOME,
    /** Everything, which is allowed. */
    ANY,
    /** Everything, which is refused. */
    NONE
  }

  public Entity {
    values = Set.copyOf(values);
    below = List.copyOf(below);
  }

  /** With these names, which are roles or not. */
  static Entity of(Type type, List<String> names, boolean roles) {
    Set<String> values = new LinkedHashSet<>(names);
    List<String> below =
        roles
            ? values.stream()
                .filter(value -> value.endsWith(ALL_BELOW))
                .map(value -> value.substring(0, value.length() - 1))
                .toList()
            : List.of();
    return new Entity(type, values, below);
  }

  /**
   * Whether an entry is about somebody or something.
   *
   * @param asked empty for nobody and nothing in particular
   */
  boolean about(Optional<String> asked) {
    return type != Type.SOME || named(asked);
  }

  /** Whether an entry that is about somebody or something allows it. */
  boolean allows(Optional<String> asked) {
    return type == Type.ANY || (type == Type.SOME && named(asked));
  }

  private boolean named(Optional<String> asked) {
    return asked.isPresent()
        && (values.contains(asked.get()) || below.stream().anyMatch(asked.get()::startsWith));
  }

  /** As JSON, in one line. */
  @Override
  public String toString() {
    if (type != Type.SOME) {
      return "{\"type\": \"" + type + "\"}";
    }
    return values.stream()
        .sorted()
        .map(value -> "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
        .collect(Collectors.joining(", ", "{\"values\": [", "]}"));
  }
}
