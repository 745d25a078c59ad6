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

/** SHRINK_VOLUME: makes a persistent volume smaller (rule 302). */
final class ShrinkVolume extends ResourceOperation {
  ShrinkVolume() {
    super(Offer.Operation.Type.SHRINK_VOLUME, Action.RESIZE_VOLUME);
  }

  @Override
  public boolean usableAtOnce() {
    return false;
  }

  @Override
  public List<Resource> named(Offer.Operation message) {
    return List.of(message.getShrinkVolume().getVolume());
  }

  @Override
  public Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change) {
    return message.toBuilder()
        .setShrinkVolume(
            message.getShrinkVolume().toBuilder()
                .setVolume(change.apply(message.getShrinkVolume().getVolume())))
        .build();
  }

  @Override
  public List<AuthorizationObject> objects(Offer.Operation message) {
    return List.of(AuthorizationObject.of(role(message.getShrinkVolume().getVolume())));
  }

  @Override
  Optional<String> objection(OperationRequest request) {
    return request.agent().contains(AgentInfo.Capability.Type.RESIZE_VOLUME)
        ? Optional.empty()
        : Optional.of("The agent does not have the capability RESIZE_VOLUME");
  }

  @Override
  public String shortage(Resources available, Resources wanted) {
    return "Invalid SHRINK_VOLUME operation: " + super.shortage(available, wanted);
  }
}
