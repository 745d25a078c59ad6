package org.mezzo.master.constraints;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.mezzo.api.allocator.OfferConstraintsFilter;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.AttributeConstraint;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;
import org.mezzo.protocol.v1.scheduler.OfferConstraints.RoleConstraints;

/**
 * The offer constraints of a framework, as it said them and as they are applied: under a role that
 * has constraints it is offered those agents that pass every constraint of some group
 * (hierarchical-allocator section 5). Immutable.
 */
public final class CompiledConstraints implements OfferConstraintsFilter {
  /** No constraints. */
  public static final CompiledConstraints NONE =
      new CompiledConstraints(OfferConstraints.getDefaultInstance(), Map.of());

  private final OfferConstraints message;
  private final Map<String, List<List<Predicate<AgentInfo>>>> roles;

  private CompiledConstraints(
      OfferConstraints message, Map<String, List<List<Predicate<AgentInfo>>>> roles) {
    this.message = message;
    this.roles = roles;
  }

  /**
   * Compiles what a framework said.
   *
   * @throws InvalidConstraintsException when a part of it means nothing, or is too complex
   */
  public static CompiledConstraints of(OfferConstraints message, RegexLimits limits)
      throws InvalidConstraintsException {
    Map<String, List<List<Predicate<AgentInfo>>>> roles = new HashMap<>();
    for (var entry : message.getRoleConstraintsMap().entrySet()) {
      String role = entry.getKey();
      if (entry.getValue().getGroupsCount() == 0) {
        throw new InvalidConstraintsException(
            "'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role "
                + role);
      }
      List<List<Predicate<AgentInfo>>> groups = new ArrayList<>();
      for (RoleConstraints.Group group : entry.getValue().getGroupsList()) {
        if (group.getAttributeConstraintsCount() == 0) {
          throw new InvalidConstraintsException(
              "'OfferConstraints::RoleConstraints::groups' for role "
                  + role
                  + " contains an empty RoleConstraints::Group");
        }
        List<Predicate<AgentInfo>> constraints = new ArrayList<>();
        for (AttributeConstraint constraint : group.getAttributeConstraintsList()) {
          try {
            constraints.add(compile(constraint, limits));
          } catch (InvalidConstraintsException e) {
            throw new InvalidConstraintsException(
                "A role " + role + " has an invalid 'AttributeConstraint': " + e.getMessage());
          }
        }
        groups.add(List.copyOf(constraints));
      }
      roles.put(role, List.copyOf(groups));
    }
    return roles.isEmpty() ? NONE : new CompiledConstraints(message, Map.copyOf(roles));
  }

  /** What the framework said. */
  public OfferConstraints message() {
    return message;
  }

  @Override
  public boolean isConstrained(String role) {
    return roles.containsKey(role);
  }

  @Override
  public boolean isAgentExcluded(String role, AgentInfo agent) {
    List<List<Predicate<AgentInfo>>> groups = roles.get(role);
    if (groups == null) {
      return false;
    }
    for (List<Predicate<AgentInfo>> group : groups) {
      if (group.stream().allMatch(constraint -> constraint.test(agent))) {
        return false;
      }
    }
    return true;
  }

  /** What a selector found: nothing, a text, or something that is no text. */
  private record Found(boolean present, Optional<String> text) {
    static final Found NOTHING = new Found(false, Optional.empty());
    static final Found NO_TEXT = new Found(true, Optional.empty());

    static Found text(String text) {
      return new Found(true, Optional.of(text));
    }
  }

  /** Looks something up. */
  @FunctionalInterface
  private interface Selection {
    Found find(AgentInfo agent);
  }

  private static Predicate<AgentInfo> compile(AttributeConstraint constraint, RegexLimits limits)
      throws InvalidConstraintsException {
    Selection selection = compile(constraint.getSelector());
    Predicate<Found> predicate = compile(constraint.getPredicate(), limits);
    return agent -> predicate.test(selection.find(agent));
  }

  private static Selection compile(AttributeConstraint.Selector selector)
      throws InvalidConstraintsException {
    return switch (selector.getSelectorCase()) {
      case PSEUDOATTRIBUTE_TYPE ->
          switch (selector.getPseudoattributeType()) {
            case HOSTNAME -> agent -> Found.text(agent.getHostname());
            case REGION ->
                agent ->
                    agent.getDomain().hasFaultDomain()
                        ? Found.text(agent.getDomain().getFaultDomain().getRegion().getName())
                        : Found.NOTHING;
            case ZONE ->
                agent ->
                    agent.getDomain().hasFaultDomain()
                        ? Found.text(agent.getDomain().getFaultDomain().getZone().getName())
                        : Found.NOTHING;
            case UNKNOWN -> throw new InvalidConstraintsException("Unknown pseudoattribute type");
          };
      case ATTRIBUTE_NAME -> {
        String name = selector.getAttributeName();
        yield agent -> attribute(agent, name);
      }
      case SELECTOR_NOT_SET ->
          throw new InvalidConstraintsException(
              "Exactly one of 'AttributeConstraint::Selector::name' or"
                  + " 'AttributeConstraint::Selector::pseudoattribute_type' must be set");
    };
  }

  private static Found attribute(AgentInfo agent, String name) {
    for (Attribute attribute : agent.getAttributesList()) {
      if (attribute.getName().equals(name)) {
        return attribute.getType() == Value.Type.TEXT
            ? Found.text(attribute.getText().getValue())
            : Found.NO_TEXT;
      }
    }
    return Found.NOTHING;
  }

  private static Predicate<Found> compile(
      AttributeConstraint.Predicate predicate, RegexLimits limits)
      throws InvalidConstraintsException {
    return switch (predicate.getPredicateCase()) {
      case EXISTS -> Found::present;
      case NOT_EXISTS -> found -> !found.present();
      case TEXT_EQUALS -> text(predicate.getTextEquals().getValue()::equals, false);
      case TEXT_NOT_EQUALS -> text(predicate.getTextNotEquals().getValue()::equals, true);
      case TEXT_MATCHES -> text(limits.compile(predicate.getTextMatches().getRegex()), false);
      case TEXT_NOT_MATCHES -> text(limits.compile(predicate.getTextNotMatches().getRegex()), true);
      case PREDICATE_NOT_SET -> throw new InvalidConstraintsException("Unknown predicate type");
    };
  }

  /** Attributes that are no texts pass every test of texts. */
  private static Predicate<Found> text(Predicate<String> test, boolean negated) {
    return found -> {
      if (!found.present()) {
        return negated;
      }
      return found.text().map(text -> test.test(text) != negated).orElse(true);
    };
  }
}
