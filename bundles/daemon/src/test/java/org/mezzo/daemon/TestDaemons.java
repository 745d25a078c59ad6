package org.mezzo.daemon;

import java.nio.file.Path;
import java.util.Map;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.configuration.ModuleParameters;
import org.mezzo.daemon.metrics.MetricsRegistry;

/** Daemons by name and role. */
public final class TestDaemons {
  private TestDaemons() {}

  public static DaemonIdentity identity(String name, Role role, Path folder) {
    return new DaemonIdentity(
        name,
        role,
        folder,
        folder,
        Map.of(),
        ModuleParameters.of(new TestFlags(Map.of())),
        new MetricsRegistry());
  }
}
