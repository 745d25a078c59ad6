package org.mezzo.itests.swap.modules;

import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;

/** Says of every container that it opens its files itself. Goes into test bundles. */
public final class SwappedLogger implements ContainerLogger {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public LogPlan prepare(Container container, Map<String, String> environment) throws Exception {
    return witness.call("prepare", () -> LogPlan.FILES);
  }
}
