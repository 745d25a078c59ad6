package org.mezzo.master;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.configuration.FlagTexts;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.FlagValues;
import org.mezzo.flags.Flags;
import org.mezzo.master.agents.RemovalRate;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.election.TermRegistry;
import org.mezzo.master.operator.OperatorFlags;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Settings;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.resources.Quantities;

/**
 * The flags of a master, each read and checked once. Immutable.
 *
 * @param daemon those that every daemon has
 * @param history how much of the past it remembers
 */
public record MasterFlags(
    DaemonFlags daemon,
    Election election,
    Agents agents,
    Frameworks frameworks,
    Allocation allocation,
    OperatorFlags operator,
    MasterState.Limits history) {

  /**
   * How masters agree on one.
   *
   * @param zk {@code --zk}; absent for a master that stands alone
   * @param contender {@code --master_contender}, where it is given
   * @param detector {@code --master_detector}, where it is given
   * @param session {@code --zk_session_timeout}
   * @param registry the {@code --registry_...} flags
   */
  public record Election(
      Optional<String> zk,
      Optional<String> contender,
      Optional<String> detector,
      Duration session,
      TermRegistry.Times registry) {

    /** The module that stands for election. */
    public String contention() {
      return contender.orElseGet(() -> zk.isPresent() ? "zookeeper" : "standalone");
    }

    /** The module that says who leads; empty for a master that stands alone and knows it. */
    public Optional<String> detection() {
      return detector.or(() -> zk.map(url -> "zookeeper"));
    }
  }

  /**
   * Who may be an agent, and when agents are given up.
   *
   * @param rules of single agents
   * @param removals {@code --agent_removal_rate_limit}
   * @param recoveryLimit {@code --recovery_agent_removal_limit}, from 0 to 1
   */
  public record Agents(Settings.Agents rules, Optional<Removals> removals, double recoveryLimit) {

    /** The rate at which they are given up, with nothing used of it yet. */
    public RemovalRate removalRate() {
      return removals
          .map(it -> RemovalRate.of(it.count(), it.period(), System::nanoTime))
          .orElseGet(RemovalRate::unlimited);
    }
  }

  /** At most so many in such a time. */
  public record Removals(int count, Duration period) {}

  /**
   * What frameworks may do.
   *
   * @param rules of single frameworks
   * @param constraints the {@code --offer_constraints_...} flags
   * @param measured {@code --publish_per_framework_metrics}
   */
  public record Frameworks(Settings.Frameworks rules, RegexLimits constraints, boolean measured) {}

  /**
   * How resources are offered.
   *
   * @param allocator {@code --allocator}, a module's name
   * @param options what the allocator is told
   * @param interval {@code --allocation_interval}
   * @param weights {@code --weights}, by role
   * @param whitelist {@code --whitelist}
   */
  public record Allocation(
      String allocator,
      AllocatorOptions options,
      Duration interval,
      Map<String, Double> weights,
      Optional<Path> whitelist) {}

  /**
   * Reads the flags of a master.
   *
   * @throws FlagException for the first that cannot be read; names it and says what is wrong
   */
  public static MasterFlags of(Flags flags) throws FlagException {
    DaemonFlags daemon =
        DaemonFlags.of(
            Role.MASTER,
            flags,
            new DaemonFlags.Folders(
                FlagTexts.read(flags, "work_dir", Path::of).orElseGet(MasterFlags::defaultWorkDir),
                Optional.empty()));
    return new MasterFlags(
        daemon,
        election(flags),
        agents(flags),
        frameworks(flags),
        allocation(flags, daemon.domain()),
        new OperatorFlags(
            flags.text("cluster"), count(flags, "max_operator_event_stream_subscribers")),
        new MasterState.Limits(
            count(flags, "max_completed_frameworks"),
            count(flags, "max_completed_tasks_per_framework"),
            count(flags, "max_unreachable_tasks_per_framework"),
            MasterState.Limits.DEFAULT.removedAgents()));
  }

  private static Path defaultWorkDir() {
    return Path.of(System.getProperty("user.home"), ".mezzo", "master");
  }

  private static Election election(Flags flags) {
    return new Election(
        flags.text("zk"),
        flags.text("master_contender").filter(name -> !name.isEmpty()),
        flags.text("master_detector").filter(name -> !name.isEmpty()),
        flags.duration("zk_session_timeout"),
        new TermRegistry.Times(
            flags.duration("registry_fetch_timeout"),
            flags.duration("registry_store_timeout"),
            flags.duration("registry_gc_interval"),
            flags.duration("registry_max_agent_age"),
            count(flags, "registry_max_agent_count")));
  }

  private static Agents agents(Flags flags) throws FlagException {
    return new Agents(
        new Settings.Agents(
            flags.duration("agent_ping_timeout"),
            count(flags, "max_agent_ping_timeouts"),
            flags.duration("agent_reregister_timeout"),
            flags.bool("require_agent_domain")),
        FlagTexts.read(flags, "agent_removal_rate_limit", MasterFlags::removals),
        FlagTexts.read(flags, "recovery_agent_removal_limit", MasterFlags::share).orElse(1.0));
  }

  private static Frameworks frameworks(Flags flags) {
    return new Frameworks(
        new Settings.Frameworks(
            Settings.Frameworks.DEFAULT.heartbeatInterval(),
            flags.text("roles").map(text -> Set.copyOf(FlagTexts.list(text))),
            flags.bool("root_submissions"),
            Optional.of(flags.duration("offer_timeout")).filter(timeout -> !timeout.isZero())),
        new RegexLimits(
            flags.bytes("offer_constraints_re2_max_mem"),
            (int) flags.integer("offer_constraints_re2_max_program_size")),
        flags.bool("publish_per_framework_metrics"));
  }

  private static Allocation allocation(Flags flags, Optional<DomainInfo> domain)
      throws FlagException {
    AllocatorOptions options =
        AllocatorOptions.builder()
            .roleSorter(flags.text("role_sorter").orElse("drf"))
            .frameworkSorter(flags.text("framework_sorter").orElse("drf"))
            .excludedResourceNames(
                Set.copyOf(FlagTexts.list(flags, "fair_sharing_excluded_resource_names")))
            .filterGpuResources(flags.bool("filter_gpu_resources"))
            .minAllocatable(
                FlagTexts.read(flags, "min_allocatable_resources", MasterFlags::alternatives)
                    .orElse(List.of()))
            .region(
                domain
                    .filter(it -> it.getFaultDomain().hasRegion())
                    .map(it -> it.getFaultDomain().getRegion().getName()))
            .recoveryFactor(
                FlagTexts.read(
                        flags, "allocator_agent_recovery_factor", MasterFlags::recoveryFactor)
                    .orElseThrow())
            .recoveryTimeout(flags.duration("allocator_recovery_timeout"))
            .build();
    return new Allocation(
        flags.text("allocator").orElse("hierarchical"),
        options,
        flags.duration("allocation_interval"),
        FlagTexts.read(flags, "weights", MasterFlags::weights).orElse(Map.of()),
        FlagTexts.read(flags, "whitelist", text -> Path.of(text.replaceFirst("^file://", ""))));
  }

  /** No flag of this type counts further than an int does. */
  private static int count(Flags flags, String name) {
    return (int) Math.min(Integer.MAX_VALUE, flags.integer(name));
  }

  private static List<Quantities> alternatives(String text) {
    List<Quantities> alternatives = new ArrayList<>();
    for (String quantities : text.split("\\|")) {
      if (!quantities.isBlank()) {
        alternatives.add(Quantities.parse(quantities.strip()));
      }
    }
    return alternatives;
  }

  private static Map<String, Double> weights(String text) throws IOException {
    Map<String, Double> weights = new TreeMap<>();
    for (String entry : FlagTexts.list(text)) {
      int equals = entry.lastIndexOf('=');
      double weight = number(entry.substring(equals + 1));
      if (equals <= 0 || !(weight > 0) || !Double.isFinite(weight)) {
        throw new IOException("'" + entry + "' is not of the form role=2.5");
      }
      weights.put(entry.substring(0, equals), weight);
    }
    return weights;
  }

  private static Removals removals(String text) throws IOException {
    String[] parts = text.split("/", 2);
    double count = number(parts[0]);
    if (parts.length != 2 || !(count >= 1) || count != Math.rint(count) || count > 1_000_000) {
      throw new IOException("'" + text + "' is not of the form 1/10mins");
    }
    return new Removals((int) count, FlagValues.duration(parts[1].strip()));
  }

  private static double share(String text) throws IOException {
    double percent = number(text.replace("%", ""));
    if (!(percent >= 0 && percent <= 100)) {
      throw new IOException("'" + text + "' is not a share from 0% to 100%");
    }
    return percent / 100;
  }

  private static double recoveryFactor(String text) throws IOException {
    double factor = number(text);
    if (!(factor >= 0 && factor <= 1)) {
      throw new IOException("'" + text + "' is not a share from 0 to 1");
    }
    return factor;
  }

  /** The number that a text is; NaN when it is none, which is in no range. */
  private static double number(String text) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  /**
   * What of them shapes transitions.
   *
   * @param consult whether anybody is asked before a launch
   */
  Settings settings(boolean consult) {
    return new Settings(agents.rules(), frameworks.rules(), allocation.interval(), consult);
  }
}
