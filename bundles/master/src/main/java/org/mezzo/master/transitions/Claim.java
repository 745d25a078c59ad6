package org.mezzo.master.transitions;

import java.time.Instant;
import org.mezzo.resources.Resources;

/**
 * What an accepted call holds until its operations are applied.
 *
 * @param frameworkSince tells the framework from a later one of the same id
 * @param agentSince likewise
 * @param held allocated to the framework on the agent meanwhile
 */
record Claim(
    String frameworkId,
    Instant frameworkSince,
    String agentId,
    Instant agentSince,
    String role,
    Resources held) {

  /** Resources of the call as they are held; those that name a role already keep it. */
  Resources allocated(Resources resources) {
    Resources without = resources.filter(it -> it.allocationRole().isEmpty());
    if (without.size() == resources.size()) {
      return resources.allocatedTo(role);
    }
    return resources.filter(it -> it.allocationRole().isPresent()).plus(without.allocatedTo(role));
  }
}
