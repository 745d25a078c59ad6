package org.mezzo.itests.allocators;

import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;

/** Never returns from its first call. Goes into test bundles. */
public final class HangingStartAllocator extends IdleAllocator {
  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    while (true) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException e) {
        continue;
      }
    }
  }
}
