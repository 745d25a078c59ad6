package org.mezzo.daemon;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.configuration.ModuleParameters;
import org.mezzo.daemon.metrics.MetricsRegistry;

/** Who a daemon is, as modules see it. Immutable. */
public record DaemonIdentity(
    String daemon,
    Role role,
    Path workDir,
    Path runtimeDir,
    Map<String, String> flags,
    ModuleParameters modules,
    Map<String, String> parameters,
    Metrics metrics,
    Clock clock)
    implements DaemonContext {
  public DaemonIdentity {
    workDir = workDir.toAbsolutePath();
    runtimeDir = runtimeDir.toAbsolutePath();
    flags = Map.copyOf(flags);
    parameters = Map.copyOf(parameters);
  }

  /**
   * The daemon itself, with the system's clock.
   *
   * @param modules what {@code --modules} gives to its modules
   */
  public DaemonIdentity(
      String daemon,
      Role role,
      Path workDir,
      Path runtimeDir,
      Map<String, String> flags,
      ModuleParameters modules,
      Metrics metrics) {
    this(daemon, role, workDir, runtimeDir, flags, modules, Map.of(), metrics, Clock.systemUTC());
  }

  /** The same daemon as one of its modules sees it: own parameters and prefixed metric names. */
  public DaemonIdentity forModule(String kind, String name, MetricsRegistry registry) {
    return new DaemonIdentity(
        daemon,
        role,
        workDir,
        runtimeDir,
        flags,
        modules,
        modules.forModule(name),
        registry.prefixed("modules/" + kind + "/" + name + "/"),
        clock);
  }
}
