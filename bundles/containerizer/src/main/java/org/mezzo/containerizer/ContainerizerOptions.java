package org.mezzo.containerizer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How containers are made. Immutable.
 *
 * @param isolation names of isolators in the order in which they are called
 * @param switchUser run containers as their user when the agent is root ({@code --switch_user})
 * @param cgroups absent: no container gets one, also when the agent may make them
 * @param fetching how URIs are fetched
 * @param shell the shell of shims and shell commands, normally {@code /bin/sh}
 * @param launcher what starts their processes
 * @param logging what becomes of their output
 * @param secretResolver the module that knows their secrets
 */
public record ContainerizerOptions(
    List<String> isolation,
    boolean switchUser,
    Optional<CgroupRoot> cgroups,
    Fetching fetching,
    Path shell,
    LauncherChoice launcher,
    Logging logging,
    String secretResolver) {

  /**
   * What becomes of the output of containers ({@code --container_logger}).
   *
   * @param logger the name of a module; empty, or {@code sandbox}: containers write into files of
   *     their sandbox themselves
   * @param demanded whether somebody has asked for it: then launches fail where it cannot be had.
   *     Else it is left out where the launcher cannot do what it is for
   */
  public record Logging(Optional<String> logger, boolean demanded) {
    /** Containers write into files themselves. */
    public static final Logging NONE = new Logging(Optional.empty(), false);
  }

  /**
   * Below what the containers' cgroups are made.
   *
   * @param hierarchy where the cgroup hierarchies are mounted ({@code --cgroups_hierarchy})
   * @param name the folder in each of them ({@code --cgroups_root})
   */
  public record CgroupRoot(Path hierarchy, String name) {}

  /**
   * How URIs are fetched.
   *
   * @param frameworksHome what relative URIs are relative to (rule 322)
   * @param stallTimeout a download without a byte for so long fails
   * @param cacheFolder where the cache is; absent: in the agent's work directory
   * @param cacheBytes the most that the cache may hold; with 0 there is none
   * @param cachePersists whether what is in the cache outlives the agent's process; otherwise it is
   *     emptied at the start
   * @param largestArchive the most bytes to which one archive may unpack
   */
  public record Fetching(
      Optional<Path> frameworksHome,
      Duration stallTimeout,
      Optional<Path> cacheFolder,
      long cacheBytes,
      boolean cachePersists,
      long largestArchive) {}

  public ContainerizerOptions {
    isolation = List.copyOf(isolation);
  }
}
