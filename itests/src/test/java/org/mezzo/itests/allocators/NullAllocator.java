package org.mezzo.itests.allocators;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.Proposal;

/** Answers null. Goes into test bundles. */
public final class NullAllocator extends IdleAllocator {
  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    return null;
  }
}
