package org.mezzo.benchmarks.loop;

import java.util.Set;
import org.mezzo.allocator.drf.HierarchicalAllocator;
import org.mezzo.api.Module;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.modules.leases.Registration;

/** The allocator as the distribution has it. */
final class DrfRegistration implements Registration {
  private final int bundle;

  /**
   * One that is preferred to those of bundles before.
   *
   * @param bundle the number of the bundle it pretends to come from, and its version
   */
  DrfRegistration(int bundle) {
    this.bundle = bundle;
  }

  @Override
  public Announcement announcement() {
    return new Announcement(
        Allocator.KIND,
        "hierarchical",
        String.valueOf(bundle),
        "",
        "",
        Set.of(),
        bundle,
        "org.mezzo.allocator.drf",
        String.valueOf(bundle),
        bundle);
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
