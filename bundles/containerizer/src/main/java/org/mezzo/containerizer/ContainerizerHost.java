package org.mezzo.containerizer;

import java.util.function.BiFunction;
import org.mezzo.api.DaemonContext;
import org.mezzo.modules.ModuleLeases;

/**
 * The agent whose containers they are.
 *
 * @param agent its runtime directory is where state is kept
 * @param contexts the agent as a module sees it, by kind and name
 * @param modules where isolators and fetchers come from
 */
public record ContainerizerHost(
    DaemonContext agent,
    BiFunction<String, String, DaemonContext> contexts,
    ModuleLeases modules) {}
