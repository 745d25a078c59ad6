package org.mezzo.daemon.configuration;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The configuration of one daemon, as Configuration Admin keeps it. Immutable.
 *
 * @param name of the daemon, unique in its process
 * @param flags those that were given, as texts by name
 * @param log the file of the process's log, where it has one
 */
public record DaemonConfiguration(String name, Map<String, String> flags, Optional<Path> log) {
  private static final String NAME = "mezzo.daemon";
  private static final String LOG = "mezzo.log";

  public DaemonConfiguration {
    flags = Map.copyOf(flags);
  }

  /**
   * Reads the properties of a component.
   *
   * @param otherwise the name of a daemon that was given none
   */
  public static DaemonConfiguration of(Map<String, Object> properties, String otherwise) {
    Map<String, String> flags = new HashMap<>();
    properties.forEach(
        (key, value) -> {
          // Configuration Admin and component runtime add names with dots, which no flag has.
          if (key.indexOf('.') < 0) {
            flags.put(key, String.valueOf(value));
          }
        });
    return new DaemonConfiguration(
        String.valueOf(properties.getOrDefault(NAME, otherwise)),
        flags,
        Optional.ofNullable(properties.get(LOG)).map(file -> Path.of(String.valueOf(file))));
  }
}
