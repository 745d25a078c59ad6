package org.mezzo.deployment.bundles;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;

/** Which daemons use the modules of a bundle. */
final class Uses {
  private final ModuleLeases leases;

  Uses(ModuleLeases leases) {
    this.leases = leases;
  }

  Set<Use> of(long bundleId) {
    Set<Use> uses = new HashSet<>();
    for (ModuleDescription module : leases.modules()) {
      if (module.bundleId() == bundleId) {
        module.daemons().forEach(daemon -> uses.add(new Use(daemon, module.kind(), module.name())));
      }
    }
    return uses;
  }

  /** Whether a module of a bundle is quarantined. */
  boolean quarantined(long bundleId) {
    return leases.quarantined().stream().anyMatch(module -> module.bundleId() == bundleId);
  }

  /** The longest vacancy of the leases that a bundle holds and that changed since. */
  Duration gap(long bundleId, List<LeaseDescription> before) {
    Map<Use, Long> epochs = new HashMap<>();
    before.forEach(
        lease -> epochs.put(new Use(lease.daemon(), lease.kind(), lease.name()), lease.epoch()));
    return leases.leases().stream()
        .filter(lease -> lease.holder().filter(h -> h.bundleId() == bundleId).isPresent())
        .filter(
            lease ->
                !Objects.equals(
                    epochs.get(new Use(lease.daemon(), lease.kind(), lease.name())), lease.epoch()))
        .map(LeaseDescription::gap)
        .max(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }
}
