package com.example;

import org.mezzo.api.allocator.Allocator;
import org.mezzo.testing.contract.AllocatorContract;

class PriorityAllocatorContractTest extends AllocatorContract {
  @Override
  protected Allocator module() {
    return new PriorityAllocator();
  }

  /** It knows no quotas. */
  @Override
  protected boolean keepsQuotas() {
    return false;
  }
}
