package {{package}};

import org.mezzo.api.hook.Hook;
import org.mezzo.testing.contract.HookContract;

class {{class}}ContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new {{class}}();
  }
}
