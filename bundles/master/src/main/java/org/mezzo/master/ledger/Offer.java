package org.mezzo.master.ledger;

import java.time.Instant;
import org.mezzo.resources.Resources;

/**
 * An outstanding offer: one agent, one role, one framework (rule 53).
 *
 * @param resources with their allocation role
 * @param message as sent to the framework, downgraded if it had to be (rule 55)
 */
public record Offer(
    String id,
    String frameworkId,
    String agentId,
    String role,
    Resources resources,
    org.mezzo.protocol.v1.Offer message,
    Instant created) {}
