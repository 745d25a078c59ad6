package org.mezzo.master.state;

import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.resources.Resources;

/**
 * A custom or default executor as the master knows it; the generated ones of command tasks are the
 * agent's own affair (rule 89).
 *
 * @param info with framework id
 * @param resources held by it on its agent, with their allocation role
 */
public record Executor(
    String id, String frameworkId, String agentId, ExecutorInfo info, Resources resources) {}
