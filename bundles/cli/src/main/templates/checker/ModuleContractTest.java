package {{package}};

import org.mezzo.api.checker.Checker;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.testing.contract.CheckerContract;

class {{class}}ContractTest extends CheckerContract {
  @Override
  protected Checker module() {
    return new {{class}}();
  }

  @Override
  protected CheckInfo.Type type() {
    return CheckInfo.Type.TCP;
  }
}
