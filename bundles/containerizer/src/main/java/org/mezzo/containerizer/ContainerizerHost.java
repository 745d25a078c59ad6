package org.mezzo.containerizer;

import org.mezzo.api.DaemonContext;
import org.mezzo.modules.DaemonModules;

/**
 * The agent whose containers they are.
 *
 * @param agent its runtime directory is where state is kept
 * @param modules where isolators and fetchers come from
 * @param afterFetch looks at what was fetched
 */
public record ContainerizerHost(DaemonContext agent, DaemonModules modules, AfterFetch afterFetch) {

  /** An agent that does not look at what was fetched. */
  public ContainerizerHost(DaemonContext agent, DaemonModules modules) {
    this(agent, modules, AfterFetch.NOBODY);
  }
}
