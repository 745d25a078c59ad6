package org.mezzo.checkers;

import org.mezzo.api.checker.Checker;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.testing.contract.CheckerContract;

class TcpCheckerContractTest extends CheckerContract {
  @Override
  protected Checker module() {
    return new TcpChecker();
  }

  @Override
  protected CheckInfo.Type type() {
    return CheckInfo.Type.TCP;
  }
}
