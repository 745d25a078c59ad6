package org.mezzo.examples.allocator;

import org.mezzo.api.allocator.Allocator;
import org.mezzo.testing.contract.AllocatorContract;

class RoundRobinAllocatorContractTest extends AllocatorContract {
  @Override
  protected Allocator module() {
    return new RoundRobinAllocator();
  }

  /** It knows no quotas. */
  @Override
  protected boolean keepsQuotas() {
    return false;
  }
}
