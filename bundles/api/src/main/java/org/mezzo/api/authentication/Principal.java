package org.mezzo.api.authentication;

import java.util.Map;
import java.util.Optional;

/**
 * Who sent a request. One without a value is refused by the master on every endpoint that reads the
 * principal (rule 8).
 */
public record Principal(Optional<String> value, Map<String, String> claims) {
  public Principal {
    claims = Map.copyOf(claims);
  }

  /** A principal known by name. */
  public static Principal named(String name) {
    return new Principal(Optional.of(name), Map.of());
  }
}
