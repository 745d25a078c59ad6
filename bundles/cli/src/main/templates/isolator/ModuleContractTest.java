package {{package}};

import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.contract.IsolatorContract;

class {{class}}ContractTest extends IsolatorContract {
  @Override
  protected Isolator module() {
    return new {{class}}();
  }
}
