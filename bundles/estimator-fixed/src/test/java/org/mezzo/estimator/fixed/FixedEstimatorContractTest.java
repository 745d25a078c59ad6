package org.mezzo.estimator.fixed;

import java.util.Map;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.ResourceEstimatorContract;

class FixedEstimatorContractTest extends ResourceEstimatorContract {
  @Override
  protected ResourceEstimator module() {
    return new FixedEstimator();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("resources", "cpus:4;mem:2048"));
  }
}
