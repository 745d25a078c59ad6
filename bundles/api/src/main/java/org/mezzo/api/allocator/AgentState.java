package org.mezzo.api.allocator;

import java.util.Map;
import java.util.Set;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.resources.Resources;

/**
 * What the ledger knows of one agent.
 *
 * @param info as registered: hostname, attributes, domain
 * @param capabilities names of the agent's capabilities, for example {@code MULTI_ROLE}
 * @param active whether its resources may be offered now
 * @param total everything it has, without allocation roles
 * @param used what is offered or allocated, by framework id; resources carry their roles
 */
public record AgentState(
    String id,
    AgentInfo info,
    Set<String> capabilities,
    boolean active,
    Resources total,
    Map<String, Resources> used) {
  public AgentState {
    capabilities = Set.copyOf(capabilities);
    used = Map.copyOf(used);
  }
}
