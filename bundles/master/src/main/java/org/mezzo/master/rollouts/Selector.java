package org.mezzo.master.rollouts;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;

/**
 * Which agents a bundle is for. Immutable.
 *
 * @param attributes text attributes that an agent has to have, all of them
 * @param region the region that it has to be in; empty for any
 */
public record Selector(Map<String, String> attributes, Optional<String> region) {
  /** All agents. */
  public static final Selector ALL = new Selector(Map.of(), Optional.empty());

  private static final String REGION = "region";

  public Selector {
    attributes = Map.copyOf(attributes);
  }

  /**
   * Reads {@code rack=a,region=b}: attributes by name, and the region of the agent's domain under
   * {@code region}. An empty text selects all agents.
   *
   * @throws IllegalArgumentException when it is no such text; says what is wrong
   */
  public static Selector parse(String text) {
    Map<String, String> attributes = new TreeMap<>();
    Optional<String> region = Optional.empty();
    for (String part : text.split(",")) {
      if (part.isBlank()) {
        continue;
      }
      int equals = part.indexOf('=');
      String name = equals < 0 ? "" : part.substring(0, equals).strip();
      String value = part.substring(equals + 1).strip();
      if (name.isEmpty() || value.isEmpty()) {
        throw new IllegalArgumentException(
            "'"
                + part.strip()
                + "' is no part of a selector: write ATTRIBUTE=VALUE or region=NAME, separated by"
                + " commas");
      }
      if (name.equals(REGION)) {
        region = Optional.of(value);
      } else if (attributes.put(name, value) != null) {
        throw new IllegalArgumentException("Attribute '" + name + "' stands there twice");
      }
    }
    return new Selector(attributes, region);
  }

  /** Whether it is for an agent. */
  public boolean matches(AgentInfo agent) {
    if (region.isPresent()
        && !region.get().equals(agent.getDomain().getFaultDomain().getRegion().getName())) {
      return false;
    }
    return attributes.entrySet().stream()
        .allMatch(
            wanted ->
                agent.getAttributesList().stream()
                    .anyMatch(
                        has ->
                            has.getName().equals(wanted.getKey())
                                && text(has).equals(wanted.getValue())));
  }

  private static String text(Attribute attribute) {
    return attribute.hasScalar()
        ? scalar(attribute.getScalar().getValue())
        : attribute.getText().getValue();
  }

  private static String scalar(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(attributes)
        .forEach((name, value) -> text.append(name).append('=').append(value).append(','));
    region.ifPresent(name -> text.append(REGION).append('=').append(name).append(','));
    return text.isEmpty() ? "" : text.substring(0, text.length() - 1);
  }
}
