package org.mezzo.api.allocator;

import java.util.Objects;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Why is a framework not offered anything under a role? Immutable; more may be asked in later
 * versions.
 */
@ProviderType
public final class OfferQuestion {
  private final Data data;

  private record Data(String frameworkId, String role, Optional<String> agentId, int mostAgents) {}

  private OfferQuestion(Data data) {
    this.data = data;
  }

  /** Begins with what there always is; the rest is as it is by default. */
  public static Builder builder(String frameworkId, String role) {
    return new Builder(frameworkId, role);
  }

  /** Who is not offered anything. */
  public String frameworkId() {
    return data.frameworkId;
  }

  /** Under which role. */
  public String role() {
    return data.role;
  }

  /** The agent that is asked about; empty means every agent. */
  public Optional<String> agentId() {
    return data.agentId;
  }

  /** How many agents to list; all of them are counted. 100 unless told. */
  public int mostAgents() {
    return data.mostAgents;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OfferQuestion question && data.equals(question.data);
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
    private final String frameworkId;
    private final String role;
    private Optional<String> agentId = Optional.empty();
    private int mostAgents = 100;

    private Builder(String frameworkId, String role) {
      this.frameworkId = Objects.requireNonNull(frameworkId);
      this.role = Objects.requireNonNull(role);
    }

    /** See {@link OfferQuestion#agentId}. */
    public Builder agentId(Optional<String> value) {
      agentId = Objects.requireNonNull(value);
      return this;
    }

    /** See {@link OfferQuestion#mostAgents}; not negative. */
    public Builder mostAgents(int value) {
      if (value < 0) {
        throw new IllegalArgumentException("mostAgents is " + value + ", which is negative");
      }
      mostAgents = value;
      return this;
    }

    /** As it is now. */
    public OfferQuestion build() {
      return new OfferQuestion(new Data(frameworkId, role, agentId, mostAgents));
    }
  }
}
