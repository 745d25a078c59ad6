package org.mezzo.modules.leases;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.modules.DeclaredFlags;
import org.mezzo.modules.ModuleLoggers;
import org.mezzo.modules.leases.Registration.Announcement;

/**
 * The daemon as one instance of a module sees it: the flags that the module declares, and numbers
 * that go with the instance.
 *
 * @param flags the visible ones
 * @param parameters the daemon's and what is set above them
 * @param loggerName of the logger that is the module's own
 */
record InstanceContext(
    DaemonContext daemonContext,
    Map<String, String> flags,
    Map<String, String> parameters,
    Metrics metrics,
    String loggerName)
    implements DaemonContext {

  static InstanceContext of(
      DaemonContext daemon, Announcement module, Map<String, String> parameters, Metrics metrics) {
    return new InstanceContext(
        daemon,
        DeclaredFlags.visible(daemon.flags(), module.flags()),
        parameters,
        metrics,
        ModuleLoggers.own(module.kind(), module.name()));
  }

  @Override
  public String daemon() {
    return daemonContext.daemon();
  }

  @Override
  public Role role() {
    return daemonContext.role();
  }

  @Override
  public Path workDir() {
    return daemonContext.workDir();
  }

  @Override
  public Path runtimeDir() {
    return daemonContext.runtimeDir();
  }

  @Override
  public Clock clock() {
    return daemonContext.clock();
  }

  @Override
  public boolean rehearsal() {
    return daemonContext.rehearsal();
  }
}
