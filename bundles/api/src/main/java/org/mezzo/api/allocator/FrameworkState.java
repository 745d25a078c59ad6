package org.mezzo.api.allocator;

import java.util.Set;
import org.mezzo.protocol.v1.FrameworkInfo;

/**
 * What the ledger knows of one framework.
 *
 * @param roles the roles it is subscribed to
 * @param suppressed those of its roles that want no offers now
 * @param capabilities names of its capabilities
 * @param active whether it may be offered anything now
 * @param constraints which agents it does not want; {@link OfferConstraintsFilter#NONE} when none
 */
public record FrameworkState(
    String id,
    FrameworkInfo info,
    Set<String> roles,
    Set<String> suppressed,
    Set<String> capabilities,
    boolean active,
    OfferConstraintsFilter constraints) {
  public FrameworkState {
    roles = Set.copyOf(roles);
    suppressed = Set.copyOf(suppressed);
    capabilities = Set.copyOf(capabilities);
  }
}
