package org.mezzo.master.operations;

import java.util.Optional;
import org.mezzo.master.state.Identifiers;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Volume;

/** What is said of disks (rules 294 to 296). Stateless. */
public final class Disks {
  private Disks() {}

  /** What is wrong with what a resource says of its disk; empty when nothing is. */
  public static Optional<String> problem(Resource resource) {
    if (!resource.hasDisk()) {
      return Optional.empty();
    }
    Resource.DiskInfo disk = resource.getDisk();
    if (!disk.hasPersistence()) {
      return disk.hasVolume()
          ? Optional.of("Non-persistent volume not supported")
          : disk.hasSource() ? Optional.empty() : Optional.of("DiskInfo is set but empty");
    }
    if (resource.hasRevocable()) {
      return Optional.of("Persistent volumes cannot be created from revocable resources");
    }
    if (unreserved(resource)) {
      return Optional.of("Persistent volumes cannot be created from unreserved resources");
    }
    if (!disk.hasVolume()) {
      return Optional.of("Expecting 'volume' to be set for persistent volume");
    }
    if (disk.getVolume().hasHostPath()) {
      return Optional.of("Expecting 'host_path' to be unset for persistent volume");
    }
    if (disk.getVolume().getMode() != Volume.Mode.RW) {
      return Optional.of("Expecting 'mode' to be RW for persistent volume");
    }
    return Identifiers.problem(disk.getPersistence().getId())
        .map(text -> "Invalid persistence ID for persistent volume: " + text);
  }

  @SuppressWarnings("deprecation")
  private static boolean unreserved(Resource resource) {
    return resource.getReservationsCount() == 0
        && !resource.hasReservation()
        && (!resource.hasRole() || resource.getRole().equals("*"));
  }
}
