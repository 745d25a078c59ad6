package org.mezzo.resources;

import java.util.Map;
import java.util.Set;

/** Amounts by resource name in thousandths (rule 306): scalars by value, ranges and sets by count. */
public final class Quantities {
  public static final Quantities EMPTY = new Quantities(Map.of());
  private final Map<String, Long> millis;

  private Quantities(Map<String, Long> millis) {
    this.millis = millis;
  }

  /** One name with its amount in thousandths. */
  public static Quantities of(String name, long millis) {
    return new Quantities(Map.of(name, millis));
  }

  /** From amounts in thousandths; zeros are kept. */
  public static Quantities of(Map<String, Long> millis) {
    return new Quantities(Map.copyOf(millis));
  }

  /** Parses {@code cpus:0.01;mem:32}. */
  public static Quantities parse(String text) {
    throw new UnsupportedOperationException();
  }

  /** The amount in thousandths; 0 for an absent name. */
  public long get(String name) {
    return millis.getOrDefault(name, 0L);
  }

  /** Whether the name is present, also with 0. */
  public boolean has(String name) {
    return millis.containsKey(name);
  }

  public Set<String> names() {
    return millis.keySet();
  }

  public boolean isEmpty() {
    return millis.isEmpty();
  }

  public Quantities plus(Quantities other) {
    throw new UnsupportedOperationException();
  }

  /** Never negative; names that reach 0 drop out. */
  public Quantities minus(Quantities other) {
    throw new UnsupportedOperationException();
  }

  /** Whether every amount of {@code other} is at most ours. */
  public boolean contains(Quantities other) {
    throw new UnsupportedOperationException();
  }
}
