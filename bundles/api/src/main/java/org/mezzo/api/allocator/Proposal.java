package org.mezzo.api.allocator;

import java.util.Objects;
import org.mezzo.resources.Resources;

/**
 * Resources of one agent to offer to one framework under one of its roles.
 *
 * @param resources carry {@code role} as their allocation role
 */
public record Proposal(String frameworkId, String role, String agentId, Resources resources) {
  public Proposal {
    Objects.requireNonNull(frameworkId);
    Objects.requireNonNull(role);
    Objects.requireNonNull(agentId);
    Objects.requireNonNull(resources);
  }
}
