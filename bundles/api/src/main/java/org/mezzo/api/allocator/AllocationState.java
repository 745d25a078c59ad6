package org.mezzo.api.allocator;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The whole ledger at one moment, as handed to an allocator that starts. Immutable; more may be
 * handed over in later versions.
 */
@ProviderType
public final class AllocationState {
  private final Data data;

  private record Data(
      List<AgentState> agents,
      List<FrameworkState> frameworks,
      List<OfferFilter> filters,
      Map<String, Double> weights,
      Map<String, Quota> quotas,
      Optional<Set<String>> whitelist,
      Optional<Recovery> recovery,
      List<InverseOffer> inverseOffers,
      List<InverseAnswer> inverseAnswers) {}

  private AllocationState(Data data) {
    this.data = data;
  }

  /** The state of a cluster in which there is nothing. */
  public static final AllocationState EMPTY = builder().build();

  /** Begins with the defaults; the rest is as it is by default. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.agents = data.agents;
    builder.frameworks = data.frameworks;
    builder.filters = data.filters;
    builder.weights = data.weights;
    builder.quotas = data.quotas;
    builder.whitelist = data.whitelist;
    builder.recovery = data.recovery;
    builder.inverseOffers = data.inverseOffers;
    builder.inverseAnswers = data.inverseAnswers;
    return builder;
  }

  /** Every agent that is registered. */
  public List<AgentState> agents() {
    return data.agents;
  }

  /** Every framework that is not removed. */
  public List<FrameworkState> frameworks() {
    return data.frameworks;
  }

  /** The filters that have not expired. */
  public List<OfferFilter> filters() {
    return data.filters;
  }

  /** The weights that were set, by role; of others it is 1. */
  public Map<String, Double> weights() {
    return data.weights;
  }

  /** The quotas, by role. */
  public Map<String, Quota> quotas() {
    return data.quotas;
  }

  /** The hostnames that may be offered; empty means all. */
  public Optional<Set<String>> whitelist() {
    return data.whitelist;
  }

  /** What the leader found in the registry; empty before it has read it. */
  public Optional<Recovery> recovery() {
    return data.recovery;
  }

  /** The inverse offers that are not answered. */
  public List<InverseOffer> inverseOffers() {
    return data.inverseOffers;
  }

  /** The last answer of each framework for each agent, as long as its filter has not expired. */
  public List<InverseAnswer> inverseAnswers() {
    return data.inverseAnswers;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AllocationState state && data.equals(state.data);
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
    private List<AgentState> agents = List.of();
    private List<FrameworkState> frameworks = List.of();
    private List<OfferFilter> filters = List.of();
    private Map<String, Double> weights = Map.of();
    private Map<String, Quota> quotas = Map.of();
    private Optional<Set<String>> whitelist = Optional.empty();
    private Optional<Recovery> recovery = Optional.empty();
    private List<InverseOffer> inverseOffers = List.of();
    private List<InverseAnswer> inverseAnswers = List.of();

    private Builder() {}

    /** See {@link AllocationState#agents}. */
    public Builder agents(List<AgentState> value) {
      agents = List.copyOf(value);
      return this;
    }

    /** See {@link AllocationState#frameworks}. */
    public Builder frameworks(List<FrameworkState> value) {
      frameworks = List.copyOf(value);
      return this;
    }

    /** See {@link AllocationState#filters}. */
    public Builder filters(List<OfferFilter> value) {
      filters = List.copyOf(value);
      return this;
    }

    /** See {@link AllocationState#weights}. */
    public Builder weights(Map<String, Double> value) {
      weights = Map.copyOf(value);
      return this;
    }

    /** See {@link AllocationState#quotas}. */
    public Builder quotas(Map<String, Quota> value) {
      quotas = Map.copyOf(value);
      return this;
    }

    /** See {@link AllocationState#whitelist}. */
    public Builder whitelist(Optional<Set<String>> value) {
      whitelist = value;
      return this;
    }

    /** See {@link AllocationState#recovery}. */
    public Builder recovery(Optional<Recovery> value) {
      recovery = value;
      return this;
    }

    /** See {@link AllocationState#inverseOffers}. */
    public Builder inverseOffers(List<InverseOffer> value) {
      inverseOffers = List.copyOf(value);
      return this;
    }

    /** See {@link AllocationState#inverseAnswers}. */
    public Builder inverseAnswers(List<InverseAnswer> value) {
      inverseAnswers = List.copyOf(value);
      return this;
    }

    /** As it is now. */
    public AllocationState build() {
      return new AllocationState(
          new Data(
              agents,
              frameworks,
              filters,
              weights,
              quotas,
              whitelist,
              recovery,
              inverseOffers,
              inverseAnswers));
    }
  }
}
