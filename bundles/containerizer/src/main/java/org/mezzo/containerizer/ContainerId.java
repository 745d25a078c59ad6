package org.mezzo.containerizer;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.mezzo.protocol.v1.ContainerID;

/**
 * The name of a container on its agent, which for one that is nested in another begins with that
 * one's (rule 340). Immutable.
 *
 * @param value not empty, at most 242 characters, none of them {@code .}, {@code /}, a blank or a
 *     control character
 * @param parent of the container in which it is nested; empty when in none
 */
public record ContainerId(String value, Optional<ContainerId> parent) {
  private static final int LONGEST = 242;

  /**
   * Checks the value.
   *
   * @throws IllegalArgumentException when it cannot name a container
   */
  public ContainerId {
    if (value.isEmpty()) {
      throw new IllegalArgumentException("The id of a container is empty; give it a value");
    }
    if (value.length() > LONGEST) {
      throw new IllegalArgumentException(
          "The id of a container has "
              + value.length()
              + " characters, of which there may be "
              + LONGEST
              + "; shorten it");
    }
    value
        .chars()
        .filter(c -> c == '.' || c == '/' || c == 0x7f || c <= ' ' || Character.isWhitespace(c))
        .findFirst()
        .ifPresent(
            c -> {
              throw new IllegalArgumentException(
                  "'"
                      + value
                      + "' cannot name a container: it has a dot, a slash, a blank or a control"
                      + " character; use letters and digits");
            });
  }

  /** A container that is nested in none. */
  public static ContainerId of(String value) {
    return new ContainerId(value, Optional.empty());
  }

  /** As a message tells it, its parents included. */
  public static ContainerId of(ContainerID message) {
    return new ContainerId(
        message.getValue(),
        message.hasParent() ? Optional.of(of(message.getParent())) : Optional.empty());
  }

  /** What {@link #toString} wrote. */
  public static ContainerId parse(String text) {
    int dot = text.lastIndexOf('.');
    return dot < 0
        ? of(text)
        : new ContainerId(text.substring(dot + 1), Optional.of(parse(text.substring(0, dot))));
  }

  /** One that is nested in this. */
  public ContainerId child(String childValue) {
    return new ContainerId(childValue, Optional.of(this));
  }

  /** The outermost container in which it is, itself when it is nested in none. */
  public ContainerId root() {
    return parent.map(ContainerId::root).orElse(this);
  }

  /** As messages tell it. */
  public ContainerID toMessage() {
    ContainerID.Builder message = ContainerID.newBuilder().setValue(value);
    parent.ifPresent(outer -> message.setParent(outer.toMessage()));
    return message.build();
  }

  /**
   * Where the sandbox of this container is by the rules, below that of the outermost one (rule
   * 215). One of the class DEBUG has its parent's instead.
   */
  public Path sandbox(Path ofRoot) {
    return parent.isEmpty()
        ? ofRoot
        : parent.get().sandbox(ofRoot).resolve("containers").resolve(value);
  }

  /**
   * The value as a file name of letters, digits and {@code -_%} only; for those of letters and
   * digits the value itself.
   */
  public String fileName() {
    StringBuilder name = new StringBuilder(value.length());
    for (byte each : value.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (each & 0xff);
      if (c < 0x80 && Character.isLetterOrDigit(c) || c == '-' || c == '_') {
        name.append(c);
      } else {
        name.append(String.format("%%%02X", (int) c));
      }
    }
    return name.toString();
  }

  /** File names from the outermost container to this one, with dots between. */
  public String path() {
    return parent.map(outer -> outer.path() + ".").orElse("") + fileName();
  }

  /** Values from the outermost container to this one, with dots between. */
  @Override
  public String toString() {
    return parent.isEmpty() ? value : parent.get() + "." + value;
  }
}
