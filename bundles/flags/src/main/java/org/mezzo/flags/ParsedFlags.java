package org.mezzo.flags;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.flags.FlagDefinitions.Definition;

/** Checked texts over the defaults of their definitions. */
final class ParsedFlags implements Flags {
  private final Map<String, Definition> definitions;
  private final Map<String, String> texts = new TreeMap<>();
  private final Set<String> given;

  /**
   * Takes what was given as checked already.
   *
   * @throws FlagException when a default is bad
   */
  ParsedFlags(Map<String, Definition> definitions, Map<String, String> given) throws FlagException {
    this.definitions = definitions;
    this.given = Set.copyOf(given.keySet());
    for (Definition definition : definitions.values()) {
      if (!definition.optional() || !definition.defaultValue().isEmpty()) {
        texts.put(definition.name(), FlagValues.resolve(definition, definition.defaultValue()));
      }
    }
    texts.putAll(given);
  }

  @Override
  public Optional<String> text(String name) {
    if (!definitions.containsKey(name)) {
      throw new IllegalArgumentException("there is no flag " + name);
    }
    return Optional.ofNullable(texts.get(name));
  }

  private String value(String name) {
    return text(name)
        .orElseThrow(() -> new IllegalArgumentException("flag " + name + " has no value"));
  }

  @Override
  public boolean bool(String name) {
    return FlagValues.bool(value(name));
  }

  @Override
  public long integer(String name) {
    return Long.parseLong(value(name));
  }

  @Override
  public double decimal(String name) {
    return FlagValues.decimal(value(name));
  }

  @Override
  public Duration duration(String name) {
    return FlagValues.duration(value(name));
  }

  @Override
  public Optional<Duration> optionalDuration(String name) {
    return text(name).map(FlagValues::duration);
  }

  @Override
  public long bytes(String name) {
    return FlagValues.bytes(value(name));
  }

  @Override
  public boolean given(String name) {
    text(name);
    return given.contains(name);
  }

  @Override
  public Map<String, String> asText() {
    return Collections.unmodifiableMap(texts);
  }
}
