package org.mezzo.master.operations;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.protocol.v1.AgentInfo;
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
  Optional<String> objection(OperationRequest request) {
    return request.agent().contains(AgentInfo.Capability.Type.RESIZE_VOLUME)
        ? Optional.empty()
        : Optional.of("The agent does not have the capability RESIZE_VOLUME");
  }

  @Override
  public String shortage(Resources available, Resources wanted) {
    return "Invalid GROW_VOLUME operation: " + super.shortage(available, wanted);
  }
}
