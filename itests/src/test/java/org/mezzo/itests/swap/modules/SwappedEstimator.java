package org.mezzo.itests.swap.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

/** Lends the same always. Goes into test bundles. */
public final class SwappedEstimator implements ResourceEstimator {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public Resources oversubscribable(ResourceUsage usage) throws Exception {
    return witness.call("oversubscribable", () -> Resources.of(Resource.scalar("cpus", 1)));
  }
}
