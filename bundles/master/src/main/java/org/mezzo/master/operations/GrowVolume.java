package org.mezzo.master.operations;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.Resources;

/** GROW_VOLUME: makes a persistent volume larger (rule 302). */
final class GrowVolume extends ResourceOperation {
  GrowVolume() {
    super(Offer.Operation.Type.GROW_VOLUME, Action.RESIZE_VOLUME);
  }

  @Override
  public boolean usableAtOnce() {
    return false;
  }

  @Override
  public List<Resource> named(Offer.Operation message) {
    return List.of(message.getGrowVolume().getVolume(), message.getGrowVolume().getAddition());
  }

  @Override
  public Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change) {
    return message.toBuilder()
        .setGrowVolume(
            Offer.Operation.GrowVolume.newBuilder()
                .setVolume(change.apply(message.getGrowVolume().getVolume()))
                .setAddition(change.apply(message.getGrowVolume().getAddition())))
        .build();
  }

  @Override
  public List<AuthorizationObject> objects(Offer.Operation message) {
    return List.of(AuthorizationObject.of(role(message.getGrowVolume().getVolume())));
  }

  @Override
  public Optional<String> problem(OperationRequest request) {
    Resource volume = request.message().getGrowVolume().getVolume();
    Optional<String> unfit = VolumeSizes.problem(request, volume);
    if (unfit.isPresent()) {
      return unfit;
    }
    Resource addition = request.message().getGrowVolume().getAddition();
    if (addition.getScalar().getValue() <= 0) {
      return Optional.of("The size of 'addition' must be greater than zero");
    }
    if (addition.getDisk().hasPersistence()
        || !addition.getName().equals("disk")
        || !addition.getReservationsList().equals(volume.getReservationsList())
        || !addition.getDisk().getSource().equals(volume.getDisk().getSource())) {
      return Optional.of(
          "'addition' must be disk of the same kind as 'volume', without persistence");
    }
    return Optional.empty();
  }

  @Override
  public String shortage(Resources available, Resources wanted) {
    return "Invalid GROW_VOLUME operation: " + super.shortage(available, wanted);
  }
}
