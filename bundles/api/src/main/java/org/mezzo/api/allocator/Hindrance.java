package org.mezzo.api.allocator;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Something that keeps a framework from being offered resources. Immutable; more may be known in
 * later versions.
 */
@ProviderType
public final class Hindrance {
  private final Data data;

  private record Data(
      Reason reason, String text, Optional<Instant> until, List<String> otherRoles) {}

  /** What kind of thing stands in the way. There may be more in later versions. */
  public enum Reason {
    /** The allocator does not know the framework. */
    UNKNOWN_FRAMEWORK,
    /** There is no allocator; said by the master. */
    NO_ALLOCATOR,
    /** The framework is not connected, or was deactivated. */
    INACTIVE_FRAMEWORK,
    /** The framework is not subscribed to the role. */
    NOT_SUBSCRIBED,
    /** The framework suppressed offers under the role. */
    SUPPRESSED,
    /** A new leader waits for its agents to come back. */
    RECOVERING,
    /** No such agent is registered. */
    UNKNOWN_AGENT,
    /** The agent is not connected, or takes no part in offers for another reason. */
    INACTIVE_AGENT,
    /** The agent's host name is not on the whitelist. */
    WHITELIST,
    /** Framework or agent lack a capability that the other one, or the role, demands. */
    CAPABILITY,
    /** The framework's offer constraints exclude the agent. */
    CONSTRAINT,
    /** All that the agent has is held, or offered to somebody. */
    NOTHING_FREE,
    /** What is free is reserved for roles to which this one does not belong. */
    RESERVED,
    /** What is free is less than the framework, or the cluster, wants offers to be. */
    BELOW_MINIMUM,
    /** The role has what the limit of its quota allows. */
    QUOTA_LIMIT,
    /** What is free is held back for what other roles are guaranteed. */
    HEADROOM,
    /** The framework refused such an offer not long ago. */
    FILTERED
  }

  private Hindrance(Data data) {
    this.data = data;
  }

  /**
   * Begins with what there always is; the rest is as it is by default.
   *
   * @param reason see {@link #reason}
   * @param text see {@link #text}
   */
  public static Builder builder(Reason reason, String text) {
    return new Builder(reason, text);
  }

  /** For programs. */
  public Reason reason() {
    return data.reason;
  }

  /**
   * For people: what it is, with amounts, without a full stop. Names no role but that of the
   * question, since not everybody may see all.
   */
  public String text() {
    return data.text;
  }

  /** When it ends by itself at the latest; empty when it does not, or nobody knows. */
  public Optional<Instant> until() {
    return data.until;
  }

  /** The roles for whose sake it is so, by name, as far as it is about other roles. */
  public List<String> otherRoles() {
    return data.otherRoles;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Hindrance hindrance && data.equals(hindrance.data);
  }

  @Override
  public int hashCode() {
    return data.hashCode();
  }

  @Override
  public String toString() {
    return data.toString();
  }

  /** Puts it together. */
  public static final class Builder {
    private final Reason reason;
    private final String text;
    private Optional<Instant> until = Optional.empty();
    private List<String> otherRoles = List.of();

    private Builder(Reason reason, String text) {
      this.reason = Objects.requireNonNull(reason);
      this.text = Objects.requireNonNull(text);
    }

    /** See {@link Hindrance#until}. */
    public Builder until(Optional<Instant> value) {
      until = Objects.requireNonNull(value);
      return this;
    }

    /** See {@link Hindrance#otherRoles}. */
    public Builder otherRoles(Collection<String> value) {
      otherRoles = value.stream().sorted().toList();
      return this;
    }

    /** As it is now. */
    public Hindrance build() {
      return new Hindrance(new Data(reason, text, until, otherRoles));
    }
  }
}
