package org.mezzo.isolator.posix;

import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.contract.IsolatorContract;

class RlimitsIsolatorContractTest extends IsolatorContract {
  @Override
  protected Isolator module() {
    return new RlimitsIsolator();
  }
}
