package org.mezzo.isolator.posix;

import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.contract.IsolatorContract;

class PosixDiskIsolatorContractTest extends IsolatorContract {
  @Override
  protected Isolator module() {
    return new PosixDiskIsolator();
  }
}
