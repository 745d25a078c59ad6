package org.mezzo.allocator.drf;

import org.mezzo.api.allocator.Allocator;
import org.mezzo.testing.contract.AllocatorContract;

class HierarchicalAllocatorContractTest extends AllocatorContract {
  @Override
  protected Allocator module() {
    return new HierarchicalAllocator();
  }
}
