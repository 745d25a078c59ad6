package {{package}};

import org.mezzo.api.allocator.Allocator;
import org.mezzo.testing.contract.AllocatorContract;

class {{class}}ContractTest extends AllocatorContract {
  @Override
  protected Allocator module() {
    return new {{class}}();
  }

  /** It knows no quotas. */
  @Override
  protected boolean keepsQuotas() {
    return false;
  }
}
