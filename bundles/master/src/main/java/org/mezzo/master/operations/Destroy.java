package org.mezzo.master.operations;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.master.state.Agent;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** DESTROY: deletes persistent volumes with all they hold (rules 300, 301). */
final class Destroy extends ResourceOperation {
  Destroy() {
    super(Offer.Operation.Type.DESTROY, Action.DESTROY_VOLUME);
  }

  @Override
  public List<Resource> named(Offer.Operation message) {
    return message.getDestroy().getVolumesList();
  }

  @Override
  public Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change) {
    return message.toBuilder()
        .setDestroy(
            Offer.Operation.Destroy.newBuilder()
                .addAllVolumes(named(message).stream().map(change).toList()))
        .build();
  }

  @Override
  public List<AuthorizationObject> objects(Offer.Operation message) {
    return objects(
        named(message).stream(), volume -> volume.getDisk().getPersistence().getPrincipal());
  }

  @Override
  Optional<String> objection(OperationRequest request) {
    for (Resource volume : named(request.message())) {
      Resources wanted = resources(volume).unallocated();
      if (!request.account().total().contains(wanted)) {
        return Optional.of("Persistent volumes not found");
      }
      if (volume.hasShared() && inUse(request, wanted)) {
        return Optional.of("Persistent volumes in use");
      }
    }
    return Optional.empty();
  }

  /** Copies of a shared volume that tasks have, or that are offered to others. */
  private static boolean inUse(OperationRequest request, Resources volume) {
    return Stream.concat(
                request.account().allocated().values().stream(),
                request.account().offered().values().stream())
            .map(held -> held.unallocated().shared())
            .filter(held -> held.contains(volume))
            .count()
        > (request.framework().isPresent() ? 1 : 0);
  }

  private static Resources resources(Resource volume) {
    try {
      return Resources.of(List.of(volume));
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  @Override
  public String refusal(String problem, Agent agent) {
    return "Invalid DESTROY operation: " + problem;
  }
}
