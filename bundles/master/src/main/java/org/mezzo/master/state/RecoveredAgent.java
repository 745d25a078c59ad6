package org.mezzo.master.state;

import org.mezzo.protocol.v1.AgentInfo;

/** An agent the registry knows that has not come back since this master leads (rule 150). */
public record RecoveredAgent(String id, AgentInfo info) {}
