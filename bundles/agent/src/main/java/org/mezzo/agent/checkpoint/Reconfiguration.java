package org.mezzo.agent.checkpoint;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * Which changes between two runs leave an agent the one it was ({@code --reconfiguration_policy}).
 */
public enum Reconfiguration {
  /** None. */
  EQUAL,

  /** Those that take nothing away that a task or a framework may count on (rule 180). */
  ADDITIVE,

  /** All but that of the hostname, by which the master would know another agent (rule 149). */
  ANY;

  /**
   * The policy of that name.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static Reconfiguration of(String name) {
    for (Reconfiguration policy : values()) {
      if (policy.name().toLowerCase(Locale.ROOT).equals(name)) {
        return policy;
      }
    }
    throw new IllegalArgumentException(
        "--reconfiguration_policy must be 'equal', 'additive' or 'any', not '" + name + "'");
  }

  /** Why the agent is not the one it was, in words for an operator; empty when it is. */
  public Optional<String> objection(AgentInfo before, AgentInfo now) {
    if (now.toBuilder().clearId().build().equals(before.toBuilder().clearId().build())) {
      return Optional.empty();
    }
    if (!now.getHostname().equals(before.getHostname())) {
      return changed("the hostname", before.getHostname(), now.getHostname());
    }
    if (this == ANY) {
      return Optional.empty();
    }
    if (now.getPort() != before.getPort()) {
      return changed("the port", before.getPort(), now.getPort());
    }
    boolean sameDomain =
        now.hasDomain() == before.hasDomain() && now.getDomain().equals(before.getDomain());
    if (!sameDomain && (this == EQUAL || before.hasDomain())) {
      return changed("the domain", text(before.getDomain()), text(now.getDomain()));
    }
    if (!keepsResources(before, now)) {
      return changed("the resources", resources(before), resources(now));
    }
    for (Attribute old : before.getAttributesList()) {
      if (now.getAttributesList().stream().noneMatch(each -> keeps(old, each))) {
        return Optional.of("attribute '" + old.getName() + "' changed or is gone");
      }
    }
    return this == EQUAL ? Optional.of("attributes or their order changed") : Optional.empty();
  }

  /** Whether another policy takes what this one does not. */
  public boolean alsoUnder(Reconfiguration other, AgentInfo before, AgentInfo now) {
    return other != this && other.objection(before, now).isEmpty();
  }

  private static Optional<String> changed(String what, Object before, Object now) {
    return Optional.of(what + " changed from '" + before + "' to '" + now + "'");
  }

  private boolean keepsResources(AgentInfo before, AgentInfo now) {
    try {
      Resources old = Resources.of(before.getResourcesList());
      Resources current = Resources.of(now.getResourcesList());
      return this == EQUAL ? current.equals(old) : current.contains(old);
    } catch (ResourceFormatException e) {
      return false;
    }
  }

  private static String resources(AgentInfo info) {
    try {
      return Resources.of(info.getResourcesList()).toText();
    } catch (ResourceFormatException e) {
      return text(info);
    }
  }

  private static String text(com.google.protobuf.Message message) {
    return message.toString().replaceAll("\\s+", " ").strip();
  }

  private boolean keeps(Attribute old, Attribute now) {
    if (!now.getName().equals(old.getName()) || now.getType() != old.getType()) {
      return false;
    }
    return now.equals(old)
        || this == ADDITIVE
            && old.getType() == Value.Type.RANGES
            && old.getRanges().getRangeList().stream()
                .allMatch(range -> covered(range, now.getRanges().getRangeList()));
  }

  private static boolean covered(Value.Range range, List<Value.Range> by) {
    return by.stream()
        .anyMatch(each -> each.getBegin() <= range.getBegin() && each.getEnd() >= range.getEnd());
  }
}
