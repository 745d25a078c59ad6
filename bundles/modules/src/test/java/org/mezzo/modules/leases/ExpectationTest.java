package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases.Expectation;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.FakeDaemonContext;

/** Who has to be rehearsed for. */
class ExpectationTest {
  @Test
  void aDaemonWantsWhatItLeasesAndWhatItExpectsToOnce() {
    try (LocalModules local = new LocalModules()) {
      FakeDaemonContext daemon = FakeDaemonContext.master();
      DaemonModules modules = local.of(daemon);
      assertThat(modules.leases().wanting("allocator", "drf")).isEmpty();
      Expectation expectation = modules.expect(Kinds.ALLOCATOR, "drf");
      assertThat(modules.leases().wanting("allocator", "drf")).containsExactly(daemon);
      assertThat(modules.leases().wanting("allocator", "other")).isEmpty();
      assertThat(modules.leases().wanting("hook", "drf")).isEmpty();

      ModuleLease<?> lease = modules.lease(Kinds.ALLOCATOR, "drf", Runnable::run);
      assertThat(modules.leases().wanting("allocator", "drf")).containsExactly(daemon);
      expectation.close();
      assertThat(modules.leases().wanting("allocator", "drf")).containsExactly(daemon);
      lease.close();
      assertThat(modules.leases().wanting("allocator", "drf")).isEmpty();
    }
  }
}
