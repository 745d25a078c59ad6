package org.mezzo.api.allocator;

import org.mezzo.protocol.v1.AgentInfo;

/**
 * Which agents a framework does not want to be offered, made of its offer constraints by the core,
 * which has refused what cannot be applied: an allocator asks and needs no matcher of its own.
 * Immutable, safe for any thread, neither blocks nor throws.
 */
public interface OfferConstraintsFilter {
  /** Excludes nothing. */
  OfferConstraintsFilter NONE =
      new OfferConstraintsFilter() {
        @Override
        public boolean isConstrained(String role) {
          return false;
        }

        @Override
        public boolean isAgentExcluded(String role, AgentInfo agent) {
          return false;
        }
      };

  /** Whether there are constraints under the role at all; without any no agent is excluded. */
  boolean isConstrained(String role);

  /** Whether the framework wants no offer of the agent under the role. */
  boolean isAgentExcluded(String role, AgentInfo agent);
}
