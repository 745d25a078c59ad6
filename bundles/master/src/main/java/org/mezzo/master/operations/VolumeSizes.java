package org.mezzo.master.operations;

import java.util.Optional;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Resource;

/** What changes of a volume's size have in common (rule 302). */
final class VolumeSizes {
  private VolumeSizes() {}

  /** Why a volume cannot have another size; empty when it can. */
  static Optional<String> problem(OperationRequest request, Resource volume) {
    if (!request.agent().contains(AgentInfo.Capability.Type.RESIZE_VOLUME)) {
      return Optional.of("The agent does not have the capability RESIZE_VOLUME");
    }
    Optional<String> not = ResourceOperation.notVolume(volume);
    if (not.isPresent()) {
      return not;
    }
    if (volume.hasShared()) {
      return Optional.of("Shared volumes cannot have another size");
    }
    return volume.hasProviderId()
        ? Optional.of("Volumes of resource providers cannot have another size")
        : Optional.empty();
  }
}
