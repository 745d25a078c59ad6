package org.mezzo.itests.allocators;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.Proposal;

/** Never returns from a cycle, whatever is done to its thread. Goes into test bundles. */
public final class HangingAllocator extends IdleAllocator {
  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    while (true) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException e) {
        continue;
      }
    }
  }
}
