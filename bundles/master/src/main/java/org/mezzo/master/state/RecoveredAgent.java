package org.mezzo.master.state;

import org.mezzo.protocol.v1.AgentInfo;

/**
 * An agent the registry knows that has not come back since this master leads (rule 150).
 *
 * @param info as it was last registered
 * @param standing what operators want of it
 */
public record RecoveredAgent(String id, AgentInfo info, Standing standing) {}
