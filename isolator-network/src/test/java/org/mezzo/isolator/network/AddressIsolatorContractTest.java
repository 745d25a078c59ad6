package org.mezzo.isolator.network;

import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.contract.IsolatorContract;

class AddressIsolatorContractTest extends IsolatorContract {
  @Override
  protected Isolator module() {
    return new AddressIsolator();
  }
}
