package org.mezzo.api.allocator;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The whole ledger at one moment, as handed to an allocator that starts. */
public record AllocationState(
    List<AgentState> agents,
    List<FrameworkState> frameworks,
    List<OfferFilter> filters,
    Map<String, Double> weights,
    Map<String, Quota> quotas,
    Optional<Set<String>> whitelist) {
  public AllocationState {
    agents = List.copyOf(agents);
    frameworks = List.copyOf(frameworks);
    filters = List.copyOf(filters);
    weights = Map.copyOf(weights);
    quotas = Map.copyOf(quotas);
  }

  /** The state of a cluster in which there is nothing. */
  public static final AllocationState EMPTY =
      new AllocationState(List.of(), List.of(), List.of(), Map.of(), Map.of(), Optional.empty());
}
