package org.mezzo.contenders;

import org.mezzo.api.contender.MasterContender;
import org.mezzo.testing.contract.MasterContenderContract;

class StandaloneContenderContractTest extends MasterContenderContract {
  @Override
  protected MasterContender module() {
    return new StandaloneContender();
  }

  @Override
  protected boolean hasRivals() {
    return false;
  }
}
