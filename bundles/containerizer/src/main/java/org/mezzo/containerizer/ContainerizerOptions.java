package org.mezzo.containerizer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.mezzo.api.DaemonContext;
import org.mezzo.modules.ModuleLeases;

/**
 * What a containerizer needs of its agent.
 *
 * @param context the agent itself; its runtime directory is where state is kept
 * @param modules the agent as a module sees it, by kind and name
 * @param leases where isolators and fetchers come from
 * @param isolation names of isolators in the order in which they are called
 * @param switchUser run containers as their user when the agent is root ({@code --switch_user})
 * @param cgroups use cgroups when the agent may
 * @param cgroupsHierarchy where the cgroup hierarchies are mounted
 * @param cgroupsRoot the folder in each of them
 * @param frameworksHome what relative URIs are relative to (rule 322)
 * @param fetcherStallTimeout a download without a byte for so long fails
 * @param shell the shell of shims and shell commands, normally {@code /bin/sh}
 */
public record ContainerizerOptions(
    DaemonContext context,
    BiFunction<String, String, DaemonContext> modules,
    ModuleLeases leases,
    List<String> isolation,
    boolean switchUser,
    boolean cgroups,
    Path cgroupsHierarchy,
    String cgroupsRoot,
    Optional<Path> frameworksHome,
    Duration fetcherStallTimeout,
    Path shell) {
  public ContainerizerOptions {
    isolation = List.copyOf(isolation);
  }
}
