package org.mezzo.master.state;

import java.time.Instant;
import org.mezzo.protocol.v1.AgentInfo;

/**
 * An agent that was marked unreachable (rule 144).
 *
 * @param info as it was last registered
 * @param standing what operators want of it
 */
public record UnreachableAgent(String id, AgentInfo info, Instant since, Standing standing) {}
