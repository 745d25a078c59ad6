package org.mezzo.allocator.drf;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.AttributeConstraint;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;
import org.mezzo.protocol.v1.scheduler.OfferConstraints.RoleConstraints;

/**
 * Which agents a framework wants to be offered under one role: those that pass every constraint of
 * some group. Regular expressions are matched in linear time.
 */
final class Constraints {
  private final List<List<Predicate<AgentInfo>>> groups;

  private Constraints(List<List<Predicate<AgentInfo>>> groups) {
    this.groups = groups;
  }

  /** By role; roles without constraints are absent. */
  static Map<String, Constraints> of(OfferConstraints message) {
    Map<String, Constraints> constraints = new HashMap<>();
    for (var entry : message.getRoleConstraintsMap().entrySet()) {
      List<List<Predicate<AgentInfo>>> groups = new ArrayList<>();
      for (RoleConstraints.Group group : entry.getValue().getGroupsList()) {
        groups.add(group.getAttributeConstraintsList().stream().map(Constraints::compile).toList());
      }
      constraints.put(entry.getKey(), new Constraints(groups));
    }
    return constraints;
  }

  boolean pass(AgentInfo agent) {
    for (List<Predicate<AgentInfo>> group : groups) {
      if (group.stream().allMatch(constraint -> constraint.test(agent))) {
        return true;
      }
    }
    return groups.isEmpty();
  }

  /** What a selector found: nothing, a text, or something that is no text. */
  private record Found(boolean present, Optional<String> text) {}

  private static Predicate<AgentInfo> compile(AttributeConstraint constraint) {
    Predicate<Found> predicate = compile(constraint.getPredicate());
    AttributeConstraint.Selector selector = constraint.getSelector();
    return agent -> predicate.test(select(selector, agent));
  }

  private static Found select(AttributeConstraint.Selector selector, AgentInfo agent) {
    return switch (selector.getSelectorCase()) {
      case PSEUDOATTRIBUTE_TYPE ->
          switch (selector.getPseudoattributeType()) {
            case HOSTNAME -> found(true, agent.getHostname());
            case REGION ->
                found(
                    agent.getDomain().hasFaultDomain(),
                    agent.getDomain().getFaultDomain().getRegion().getName());
            case ZONE ->
                found(
                    agent.getDomain().hasFaultDomain(),
                    agent.getDomain().getFaultDomain().getZone().getName());
            case UNKNOWN -> new Found(false, Optional.empty());
          };
      case ATTRIBUTE_NAME -> attribute(agent, selector.getAttributeName());
      case SELECTOR_NOT_SET -> new Found(false, Optional.empty());
    };
  }

  private static Found attribute(AgentInfo agent, String name) {
    for (Attribute attribute : agent.getAttributesList()) {
      if (attribute.getName().equals(name)) {
        return attribute.getType() == Value.Type.TEXT
            ? found(true, attribute.getText().getValue())
            : new Found(true, Optional.empty());
      }
    }
    return new Found(false, Optional.empty());
  }

  private static Found found(boolean present, String text) {
    return new Found(present, present ? Optional.of(text) : Optional.empty());
  }

  private static Predicate<Found> compile(AttributeConstraint.Predicate predicate) {
    return switch (predicate.getPredicateCase()) {
      case EXISTS -> Found::present;
      case NOT_EXISTS -> found -> !found.present();
      case TEXT_EQUALS -> text(predicate.getTextEquals().getValue()::equals, false);
      case TEXT_NOT_EQUALS -> text(predicate.getTextNotEquals().getValue()::equals, true);
      case TEXT_MATCHES -> text(regex(predicate.getTextMatches().getRegex()), false);
      case TEXT_NOT_MATCHES -> text(regex(predicate.getTextNotMatches().getRegex()), true);
      case PREDICATE_NOT_SET -> found -> false;
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

  /** The master refuses expressions that do not compile; one that got through matches nothing. */
  private static Predicate<String> regex(String regex) {
    try {
      return Pattern.compile(regex)::matches;
    } catch (PatternSyntaxException e) {
      return text -> false;
    }
  }
}
