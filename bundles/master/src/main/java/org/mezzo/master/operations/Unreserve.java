package org.mezzo.master.operations;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.master.state.Agent;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;

/** UNRESERVE: takes the innermost layer of reservation away (rule 299). */
final class Unreserve extends ResourceOperation {
  Unreserve() {
    super(Offer.Operation.Type.UNRESERVE, Action.UNRESERVE_RESOURCES);
  }

  @Override
  public List<Resource> named(Offer.Operation message) {
    return message.getUnreserve().getResourcesList();
  }

  @Override
  public Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change) {
    return message.toBuilder()
        .setUnreserve(
            Offer.Operation.Unreserve.newBuilder()
                .addAllResources(named(message).stream().map(change).toList()))
        .build();
  }

  @Override
  public List<AuthorizationObject> objects(Offer.Operation message) {
    return objects(
        named(message).stream(),
        resource -> last(resource).map(Resource.ReservationInfo::getPrincipal).orElse(""));
  }

  @Override
  Optional<String> objection(OperationRequest request) {
    return Optional.empty();
  }

  @Override
  public String refusal(String problem, Agent agent) {
    return "Invalid UNRESERVE operation: " + problem;
  }
}
