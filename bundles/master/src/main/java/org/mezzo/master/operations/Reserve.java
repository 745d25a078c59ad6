package org.mezzo.master.operations;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;

/** RESERVE: adds a layer of reservation, or replaces some by others (rule 298). */
final class Reserve extends ResourceOperation {
  Reserve() {
    super(Offer.Operation.Type.RESERVE, Action.RESERVE_RESOURCES);
  }

  @Override
  public List<Resource> named(Offer.Operation message) {
    return Stream.concat(
            message.getReserve().getSourceList().stream(),
            message.getReserve().getResourcesList().stream())
        .toList();
  }

  @Override
  public Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change) {
    return message.toBuilder()
        .setReserve(
            Offer.Operation.Reserve.newBuilder()
                .addAllSource(message.getReserve().getSourceList().stream().map(change).toList())
                .addAllResources(
                    message.getReserve().getResourcesList().stream().map(change).toList()))
        .build();
  }

  @Override
  public List<AuthorizationObject> objects(Offer.Operation message) {
    return objects(message.getReserve().getResourcesList().stream(), ResourceOperation::role);
  }

  @Override
  Optional<String> objection(OperationRequest request) {
    Offer.Operation.Reserve reserve = request.message().getReserve();
    if (request.framework().isPresent() && reserve.getSourceCount() > 0) {
      return Optional.of("Reservation updates are not yet implemented for the scheduler API.");
    }
    return reserve.getResourcesList().stream()
        .flatMap(resource -> objection(request, resource).stream())
        .findFirst();
  }

  private static Optional<String> objection(OperationRequest request, Resource resource) {
    String role = role(resource);
    if (role.contains("/")
        && !request.agent().contains(AgentInfo.Capability.Type.HIERARCHICAL_ROLE)) {
      return Optional.of(
          "Resource "
              + text(resource)
              + " with reservation for hierarchical role '"
              + role
              + "' cannot be reserved without HIERARCHICAL_ROLE capability of the agent");
    }
    if (resource.getReservationsCount() > 1
        && !request.agent().contains(AgentInfo.Capability.Type.RESERVATION_REFINEMENT)) {
      return Optional.of(
          "Resource "
              + text(resource)
              + " with refined reservations needs the agent's capability RESERVATION_REFINEMENT");
    }
    Resource.ReservationInfo reservation = last(resource).orElseThrow();
    Optional<String> reserver =
        reservation.hasPrincipal() ? Optional.of(reservation.getPrincipal()) : Optional.empty();
    if (request.principal().isPresent() && !request.principal().equals(reserver)) {
      return Optional.of(
          "A reserve operation was attempted by principal '"
              + request.principal().get()
              + "', but there is a reserved resource in the request with "
              + reserver.map(it -> "principal '" + it + "'").orElse("no principal")
              + " set in `ReservationInfo`");
    }
    if (request.framework().isEmpty()) {
      return Optional.empty();
    }
    String allocated = resource.getAllocationInfo().getRole();
    if (!role.equals(allocated)) {
      return Optional.of(
          "A reserve operation was attempted for a resource with role '"
              + role
              + "', but the resource was allocated to role '"
              + allocated
              + "'");
    }
    if (!request.framework().get().roles().contains(allocated)) {
      return Optional.of(
          "A reserve operation was attempted for a resource allocated to role '"
              + allocated
              + "', but the framework only has roles "
              + new TreeSet<>(request.framework().get().roles()));
    }
    return Optional.empty();
  }
}
