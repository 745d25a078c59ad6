package org.mezzo.itests.oversubscription;

import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

/** Lends six cpus. Goes into a test bundle. */
public final class GenerousEstimator implements ResourceEstimator {
  @Override
  public Resources oversubscribable(ResourceUsage usage) throws Exception {
    Resources used = Resources.EMPTY;
    for (ResourceUsage.Executor executor : usage.getExecutorsList()) {
      used = used.plus(Resources.of(executor.getAllocatedList()).revocable());
    }
    return Resources.of(Resource.scalar("cpus", 6 - used.scalar("cpus") / 1000.0));
  }
}
