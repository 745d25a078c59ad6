package org.mezzo.master.operations;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;

/** CREATE: makes persistent volumes of reserved disk (rules 295, 300). */
final class Create extends ResourceOperation {
  Create() {
    super(Offer.Operation.Type.CREATE, Action.CREATE_VOLUME);
  }

  @Override
  public List<Resource> named(Offer.Operation message) {
    return message.getCreate().getVolumesList();
  }

  @Override
  public Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change) {
    return message.toBuilder()
        .setCreate(
            Offer.Operation.Create.newBuilder()
                .addAllVolumes(named(message).stream().map(change).toList()))
        .build();
  }

  @Override
  public List<AuthorizationObject> objects(Offer.Operation message) {
    return objects(named(message).stream(), ResourceOperation::role);
  }

  @Override
  Optional<String> objection(OperationRequest request) {
    List<Resource> volumes = named(request.message());
    Set<String> ids = new HashSet<>();
    for (org.mezzo.resources.Resource known : request.account().total().persistentVolumes()) {
      ids.add(key(known.reservationRole().orElse("*"), known.kind().persistenceId().orElse("")));
    }
    for (Resource volume : volumes) {
      Optional<String> problem = shared(request, volume).or(() -> creator(request, volume));
      if (problem.isPresent()) {
        return problem;
      }
      String id = volume.getDisk().getPersistence().getId();
      if (!ids.add(key(role(volume), id))) {
        return Optional.of(
            "Persistence ID '"
                + id
                + "' of role '"
                + role(volume)
                + "' is in use on the agent; choose another");
      }
    }
    return Optional.empty();
  }

  private static String key(String role, String id) {
    return role + ' ' + id;
  }

  private static Optional<String> shared(OperationRequest request, Resource volume) {
    boolean able =
        request
            .framework()
            .map(it -> it.capabilities().contains(FrameworkInfo.Capability.Type.SHARED_RESOURCES))
            .orElse(true);
    return volume.hasShared() && !able
        ? Optional.of(
            "Create volume operation for a shared volume needs the framework's capability"
                + " SHARED_RESOURCES")
        : Optional.empty();
  }

  private static Optional<String> creator(OperationRequest request, Resource volume) {
    Resource.DiskInfo.Persistence persistence = volume.getDisk().getPersistence();
    return request.principal().isPresent()
            && persistence.hasPrincipal()
            && !persistence.getPrincipal().equals(request.principal().get())
        ? Optional.of(
            "Create volume operation attempted by principal '"
                + request.principal().get()
                + "', but 'persistence.principal' of the volume is '"
                + persistence.getPrincipal()
                + "'")
        : Optional.empty();
  }
}
