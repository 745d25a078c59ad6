package org.mezzo.daemon;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.configuration.ModuleParameters;
import org.mezzo.daemon.metrics.MetricsRegistry;

/**
 * Who a daemon is, as modules see it, with the system's clock. Immutable.
 *
 * @param modules what {@code --modules} gives to its modules
 */
public record DaemonIdentity(
    String daemon,
    Role role,
    Path workDir,
    Path runtimeDir,
    Map<String, String> flags,
    ModuleParameters modules,
    Metrics metrics)
    implements DaemonContext {
  public DaemonIdentity {
    workDir = workDir.toAbsolutePath();
    runtimeDir = runtimeDir.toAbsolutePath();
    flags = Map.copyOf(flags);
  }

  /** None: parameters are a module's. */
  @Override
  public Map<String, String> parameters() {
    return Map.of();
  }

  @Override
  public Clock clock() {
    return Clock.systemUTC();
  }

  /** The same daemon as one of its modules sees it: own parameters and prefixed metric names. */
  public DaemonContext forModule(String kind, String name, MetricsRegistry registry) {
    return new ModuleView(
        this,
        Map.copyOf(modules.forModule(name)),
        registry.prefixed("modules/" + kind + "/" + name + "/"));
  }

  /** What differs from one module to the next. */
  private record ModuleView(
      DaemonIdentity identity, Map<String, String> parameters, Metrics metrics)
      implements DaemonContext {
    @Override
    public String daemon() {
      return identity.daemon();
    }

    @Override
    public Role role() {
      return identity.role();
    }

    @Override
    public Path workDir() {
      return identity.workDir();
    }

    @Override
    public Path runtimeDir() {
      return identity.runtimeDir();
    }

    @Override
    public Map<String, String> flags() {
      return identity.flags();
    }

    @Override
    public Clock clock() {
      return identity.clock();
    }
  }
}
