package org.mezzo.master.rollouts;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;

/**
 * Which daemons a bundle is for. Immutable.
 *
 * @param daemons what they are
 * @param attributes of agents: text attributes that an agent has to have, all of them
 * @param region the region that it has to be in; empty for any
 */
public record Selector(Daemons daemons, Map<String, String> attributes, Optional<String> region) {
  /** All agents. */
  public static final Selector ALL = new Selector(Map.of(), Optional.empty());

  private static final String REGION = "region";
  private static final String ROLE = "role";

  /** What daemons are. */
  public enum Daemons {
    AGENT(Set.of(Role.AGENT)),
    MASTER(Set.of(Role.MASTER)),
    ANY(Set.of(Role.AGENT, Role.MASTER));

    private final Set<Role> roles;

    Daemons(Set<Role> roles) {
      this.roles = roles;
    }

    /** As texts of selectors have it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Of agents only. */
  public Selector(Map<String, String> attributes, Optional<String> region) {
    this(Daemons.AGENT, attributes, region);
  }

  public Selector {
    attributes = Map.copyOf(attributes);
  }

  /**
   * Reads {@code rack=a,region=b}: attributes by name, and the region of the daemon's domain under
   * {@code region}. What daemons they are is under {@code role}: {@code agent}, which they are
   * where it is not there, {@code master} or {@code any}. An empty text selects all agents.
   *
   * @throws IllegalArgumentException when it is no such text; says what is wrong
   */
  public static Selector parse(String text) {
    Optional<Daemons> daemons = Optional.empty();
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
                + "' is no part of a selector: write ATTRIBUTE=VALUE, region=NAME or role=agent,"
                + " separated by commas");
      }
      if (name.equals(REGION)) {
        region = Optional.of(value);
      } else if (name.equals(ROLE)) {
        if (daemons.isPresent()) {
          throw new IllegalArgumentException("'role' stands there twice");
        }
        daemons = Optional.of(daemons(value));
      } else if (attributes.put(name, value) != null) {
        throw new IllegalArgumentException("Attribute '" + name + "' stands there twice");
      }
    }
    Daemons found = daemons.orElse(Daemons.AGENT);
    if (found != Daemons.AGENT && !attributes.isEmpty()) {
      throw new IllegalArgumentException(
          "Masters have no attributes: leave '%s' out, or role=%s"
              .formatted(attributes.keySet().iterator().next(), found));
    }
    return new Selector(found, attributes, region);
  }

  private static Daemons daemons(String text) {
    for (Daemons each : Daemons.values()) {
      if (each.toString().equals(text)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "'%s' is no role of a daemon: write role=agent, role=master or role=any".formatted(text));
  }

  /** Whether it is for an agent. */
  public boolean matches(AgentInfo agent) {
    return matches(new Member.OfAgent(agent));
  }

  /** Whether it is for a daemon. */
  public boolean matches(Member member) {
    if (!daemons.roles.contains(member.role())) {
      return false;
    }
    if (region.isPresent()
        && !region.get().equals(member.domain().getFaultDomain().getRegion().getName())) {
      return false;
    }
    return !(member instanceof Member.OfAgent agent) || hasAttributes(agent.info());
  }

  private boolean hasAttributes(AgentInfo agent) {
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
    if (daemons != Daemons.AGENT) {
      text.append(ROLE).append('=').append(daemons).append(',');
    }
    new TreeMap<>(attributes)
        .forEach((name, value) -> text.append(name).append('=').append(value).append(','));
    region.ifPresent(name -> text.append(REGION).append('=').append(name).append(','));
    return text.isEmpty() ? "" : text.substring(0, text.length() - 1);
  }
}
