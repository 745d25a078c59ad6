package org.mezzo.api.allocator;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What stands between a framework and offers under a role, at the moment of the answer. Immutable;
 * more may be known in later versions.
 */
@ProviderType
public final class OfferExplanation {
  private final Data data;

  private record Data(
      List<Hindrance> everywhere,
      List<OnAgent> agents,
      int looked,
      int free,
      Map<Hindrance.Reason, Integer> counts) {}

  /**
   * One agent.
   *
   * @param hindrances empty when the agent may be offered: in the next run at the latest, unless it
   *     is another framework's turn
   */
  public record OnAgent(String agentId, String hostname, List<Hindrance> hindrances) {
    public OnAgent {
      Objects.requireNonNull(agentId);
      Objects.requireNonNull(hostname);
      hindrances = List.copyOf(hindrances);
    }
  }

  private OfferExplanation(Data data) {
    this.data = data;
  }

  /** Begins with nothing. */
  public static Builder builder() {
    return new Builder();
  }

  /** What holds whatever the agent; with it alone there are no offers. */
  public List<Hindrance> everywhere() {
    return data.everywhere;
  }

  /** What holds for single agents, as many as were asked for. */
  public List<OnAgent> agents() {
    return data.agents;
  }

  /** How many agents were looked at. */
  public int looked() {
    return data.looked;
  }

  /** Those among them about which nothing is known that stands in the way. */
  public int free() {
    return data.free;
  }

  /** On how many of the agents that were looked at there is a hindrance of that kind. */
  public Map<Hindrance.Reason, Integer> counts() {
    return data.counts;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OfferExplanation explanation && data.equals(explanation.data);
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
    private List<Hindrance> everywhere = List.of();
    private List<OnAgent> agents = List.of();
    private int looked;
    private int free;
    private Map<Hindrance.Reason, Integer> counts = Map.of();

    private Builder() {}

    /** See {@link OfferExplanation#everywhere}. */
    public Builder everywhere(List<Hindrance> value) {
      everywhere = List.copyOf(value);
      return this;
    }

    /** See {@link OfferExplanation#agents}. */
    public Builder agents(List<OnAgent> value) {
      agents = List.copyOf(value);
      return this;
    }

    /** See {@link OfferExplanation#looked}. */
    public Builder looked(int value) {
      looked = value;
      return this;
    }

    /** See {@link OfferExplanation#free}. */
    public Builder free(int value) {
      free = value;
      return this;
    }

    /** See {@link OfferExplanation#counts}. */
    public Builder counts(Map<Hindrance.Reason, Integer> value) {
      counts = Map.copyOf(value);
      return this;
    }

    /** As it is now. */
    public OfferExplanation build() {
      Map<Hindrance.Reason, Integer> ordered = new EnumMap<>(Hindrance.Reason.class);
      ordered.putAll(counts);
      return new OfferExplanation(
          new Data(everywhere, agents, looked, free, Collections.unmodifiableMap(ordered)));
    }
  }
}
