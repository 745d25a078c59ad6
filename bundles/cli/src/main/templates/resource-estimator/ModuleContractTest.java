package {{package}};

import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.testing.contract.ResourceEstimatorContract;

class {{class}}ContractTest extends ResourceEstimatorContract {
  @Override
  protected ResourceEstimator module() {
    return new {{class}}();
  }
}
