package org.mezzo.master.state;

import java.util.Map;
import org.mezzo.api.allocator.Quota;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * What operators have decided about roles.
 *
 * @param weights those that were set, by role; of others it is 1
 * @param quotas those that guarantee or limit something, by role
 */
public record Policy(PMap<String, Double> weights, PMap<String, Quota> quotas) {
  /** Nothing was decided. */
  public static final Policy NONE = new Policy(HashTreePMap.empty(), HashTreePMap.empty());

  /** With these weights beside those that were set for other roles. */
  public Policy withWeights(Map<String, Double> more) {
    return new Policy(weights.plusAll(more), quotas);
  }
}
