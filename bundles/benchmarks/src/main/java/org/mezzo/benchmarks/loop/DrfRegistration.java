package org.mezzo.benchmarks.loop;

import java.util.Set;
import org.mezzo.allocator.drf.HierarchicalAllocator;
import org.mezzo.api.Module;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.modules.leases.Registration;

/** The allocator as the distribution has it. */
final class DrfRegistration implements Registration {
  @Override
  public Announcement announcement() {
    return new Announcement(
        Allocator.KIND,
        "hierarchical",
        "1",
        "",
        "",
        Set.of(),
        1,
        "org.mezzo.allocator.drf",
        "1",
        1);
  }

  @Override
  public boolean provides(Class<?> type) {
    return type == Allocator.class;
  }

  @Override
  public Module create() {
    return new HierarchicalAllocator();
  }

  @Override
  public void release(Module instance) {}
}
