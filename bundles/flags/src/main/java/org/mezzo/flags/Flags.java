package org.mezzo.flags;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The flag values of one daemon, checked against its definitions. Immutable. Getters throw {@link
 * IllegalArgumentException} for a name that is not defined: that is a mistake of the caller.
 */
public interface Flags {

  /** The text of a flag that was given or has a default. */
  Optional<String> text(String name);

  boolean bool(String name);

  long integer(String name);

  double decimal(String name);

  /** Rule 355. */
  Duration duration(String name);

  /** As {@link #duration}, empty when neither given nor defaulted. */
  Optional<Duration> optionalDuration(String name);

  /** Rule 355, in bytes. */
  long bytes(String name);

  /** Whether the flag was given, not defaulted. */
  boolean given(String name);

  /** All flags that have a value, in text form, sorted by name. */
  Map<String, String> asText();

  /**
   * As {@link #asText}, without the passwords of URLs, such as that of {@code --zk}, and of the
   * parameters of modules, as far as their names tell: what {@code /flags} and everything else that
   * shows flags may show.
   */
  default Map<String, String> shown() {
    Map<String, String> shown = new TreeMap<>(asText());
    shown.replaceAll((name, value) -> Passwords.maskedParameters(Passwords.masked(value)));
    return Collections.unmodifiableMap(shown);
  }
}
