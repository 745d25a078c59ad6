package {{package}};

import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.testing.contract.AnonymousModuleContract;

class {{class}}ContractTest extends AnonymousModuleContract {
  @Override
  protected AnonymousModule module() {
    return new {{class}}();
  }
}
