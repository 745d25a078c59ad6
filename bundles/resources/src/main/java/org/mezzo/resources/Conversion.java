package org.mezzo.resources;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What an operation does to the resources of an agent: some are consumed, and those that they
 * become take their place. Both have the same amounts of the same names. Immutable.
 *
 * @param consumed what must be there, never empty; shared volumes as one copy each
 * @param converted what is there afterwards
 */
public record Conversion(Resources consumed, Resources converted) {

  /**
   * The same conversion of resources that are allocated to nobody, as an agent's total has them.
   */
  public Conversion unallocated() {
    return new Conversion(consumed.unallocated(), converted.unallocated());
  }

  /**
   * The total of an agent after the conversion.
   *
   * @param total with allocations where the conversion has them
   * @throws ResourceFormatException naming what the total lacks (of a volume rule 301 tells how),
   *     or the volume whose persistence id another volume of the role has already (rule 295)
   */
  public Resources appliedTo(Resources total) throws ResourceFormatException {
    if (!total.contains(consumed)) {
      Resources volumes = consumed.persistentVolumes();
      if (!total.contains(volumes)) {
        throw new ResourceFormatException(
            "Persistent volumes not found: "
                + volumes.minus(total)
                + " is not among '"
                + total
                + "'");
      }
      throw new ResourceFormatException("'" + total + "' does not contain '" + consumed + "'");
    }
    Resources rest = total.minus(consumed);
    Set<List<String>> ids = new HashSet<>();
    for (Resource volume : rest.persistentVolumes()) {
      ids.add(idOf(volume));
    }
    for (Resource volume : converted.persistentVolumes()) {
      if (!ids.add(idOf(volume))) {
        throw new ResourceFormatException(
            "Persistence ID '"
                + volume.kind.persistenceId().orElseThrow()
                + "' is in use for role '"
                + volume.kind.reservationRole
                + "' on this agent already");
      }
    }
    return rest.plus(converted);
  }

  private static List<String> idOf(Resource volume) {
    return List.of(volume.kind.reservationRole, volume.kind.persistenceId().orElseThrow());
  }
}
