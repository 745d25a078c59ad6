package org.mezzo.api.allocator;

import java.util.Objects;

/**
 * A framework is asked to give back what it holds on an agent that was announced to become
 * unavailable (hierarchical-allocator.md section 8). A framework has one for an agent at most that
 * is not answered.
 */
public record InverseOffer(String frameworkId, String agentId) {
  public InverseOffer {
    Objects.requireNonNull(frameworkId);
    Objects.requireNonNull(agentId);
  }
}
