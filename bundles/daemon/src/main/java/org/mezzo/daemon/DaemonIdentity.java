package org.mezzo.daemon;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;

/** Who a daemon is, as modules see it. Immutable. */
public record DaemonIdentity(
    String daemon,
    Role role,
    Path workDir,
    Path runtimeDir,
    Map<String, String> flags,
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

  /** The daemon itself, without module parameters, with the system's clock. */
  public DaemonIdentity(
      String daemon,
      Role role,
      Path workDir,
      Path runtimeDir,
      Map<String, String> flags,
      Metrics metrics) {
    this(daemon, role, workDir, runtimeDir, flags, Map.of(), metrics, Clock.systemUTC());
  }

  /** The same daemon as one of its modules sees it: own parameters and prefixed metric names. */
  public DaemonIdentity forModule(
      String kind, String name, Map<String, String> parameters, MetricsRegistry registry) {
    return new DaemonIdentity(
        daemon,
        role,
        workDir,
        runtimeDir,
        flags,
        parameters,
        registry.prefixed("modules/" + kind + "/" + name + "/"),
        clock);
  }
}
