package org.mezzo.daemon;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.mezzo.flags.FlagValues;
import org.mezzo.flags.Flags;

/** Flags of a test: what is not given is false, 0 or absent. */
public record TestFlags(Map<String, String> asText) implements Flags {
  public TestFlags {
    asText = new TreeMap<>(asText);
  }

  @Override
  public Optional<String> text(String name) {
    return Optional.ofNullable(asText.get(name));
  }

  @Override
  public boolean bool(String name) {
    return Boolean.parseBoolean(asText.get(name));
  }

  @Override
  public long integer(String name) {
    return Long.parseLong(asText.getOrDefault(name, "0"));
  }

  @Override
  public double decimal(String name) {
    return Double.parseDouble(asText.getOrDefault(name, "0"));
  }

  @Override
  public Duration duration(String name) {
    return FlagValues.duration(asText.get(name));
  }

  @Override
  public Optional<Duration> optionalDuration(String name) {
    return text(name).map(FlagValues::duration);
  }

  @Override
  public long bytes(String name) {
    return integer(name);
  }

  @Override
  public boolean given(String name) {
    return asText.containsKey(name);
  }
}
