package org.mezzo.containerizer;

import org.mezzo.api.DaemonContext;
import org.mezzo.modules.DaemonModules;

/**
 * The agent whose containers they are.
 *
 * @param agent its runtime directory is where state is kept
 * @param modules where isolators and fetchers come from
 */
public record ContainerizerHost(DaemonContext agent, DaemonModules modules) {}
