package org.mezzo.master.operations;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.master.state.Agent;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.Conversion;
import org.mezzo.resources.Conversions;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** One type of operation on an agent's own resources. Stateless. */
public abstract class ResourceOperation {
  private static final List<ResourceOperation> ALL =
      List.of(
          new Reserve(),
          new Unreserve(),
          new Create(),
          new Destroy(),
          new GrowVolume(),
          new ShrinkVolume());

  private final Offer.Operation.Type type;
  private final Action action;

  ResourceOperation(Offer.Operation.Type type, Action action) {
    this.type = type;
    this.action = action;
  }

  /** The operation of a type; empty for launches and for what only resource providers do. */
  public static Optional<ResourceOperation> of(Offer.Operation.Type type) {
    return ALL.stream().filter(it -> it.type == type).findFirst();
  }

  /** All of them. */
  public static List<ResourceOperation> all() {
    return ALL;
  }

  public Offer.Operation.Type type() {
    return type;
  }

  /** What is asked about {@link #objects}. */
  public Action action() {
    return action;
  }

  /** Whether later operations of the same ACCEPT may use what comes out of it (rule 304). */
  public boolean usableAtOnce() {
    return true;
  }

  /** The resources that a message names. */
  public abstract List<Resource> named(Offer.Operation message);

  /** A message with each resource that it names changed. */
  public abstract Offer.Operation with(Offer.Operation message, UnaryOperator<Resource> change);

  /** What the authorizer is asked about; each has to be approved. */
  public abstract List<AuthorizationObject> objects(Offer.Operation message);

  /**
   * What is wrong with it, in itself or for who wants it; whether there is enough for it is not
   * asked here. Empty when nothing is.
   */
  public final Optional<String> problem(OperationRequest request) {
    try {
      Conversions.of(request.message());
    } catch (ResourceFormatException e) {
      return Optional.of(e.getMessage());
    }
    return objection(request);
  }

  /** What is against one that makes sense. */
  abstract Optional<String> objection(OperationRequest request);

  /** What it makes of what; only of a message with which there is no {@link #problem}. */
  public static Conversion conversion(Offer.Operation message) {
    try {
      return Conversions.of(message);
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** How an operator is told of a problem. */
  public String refusal(String problem, Agent agent) {
    return "Invalid " + type + " operation on " + where(agent) + ": " + problem;
  }

  /** How a framework is told of a problem. */
  public String error(String problem, Agent agent) {
    return problem + "; on " + where(agent);
  }

  /** How it is told that there is not so much. */
  public String shortage(Resources available, Resources wanted) {
    return available + " does not contain " + wanted;
  }

  private static String where(Agent agent) {
    return "agent " + agent.id() + " at " + agent.pid() + " (" + agent.info().getHostname() + ")";
  }

  /** A message in the form of reservation stacks. */
  public Offer.Operation upgraded(Offer.Operation message) throws ResourceFormatException {
    Resources.of(named(message));
    return with(message, ResourceOperation::upgraded);
  }

  private static Resource upgraded(Resource resource) {
    try {
      List<Resource> messages =
          Resources.of(List.of(resource)).toMessages(Resources.Format.POST_REFINEMENT);
      return messages.isEmpty() ? resource : messages.get(0);
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** A message whose resources are allocated to a role, those that say nothing else. */
  public Offer.Operation allocated(Offer.Operation message, String role) {
    return with(
        message,
        resource ->
            resource.hasAllocationInfo()
                ? resource
                : resource.toBuilder()
                    .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(role))
                    .build());
  }

  /** A message whose resources are allocated to nobody. */
  public Offer.Operation unallocated(Offer.Operation message) {
    return with(message, resource -> resource.toBuilder().clearAllocationInfo().build());
  }

  // What several have in common.

  static String text(Resource resource) {
    try {
      return Resources.of(List.of(resource)).toString();
    } catch (ResourceFormatException e) {
      return resource.getName();
    }
  }

  static Optional<Resource.ReservationInfo> last(Resource resource) {
    int count = resource.getReservationsCount();
    return count == 0 ? Optional.empty() : Optional.of(resource.getReservations(count - 1));
  }

  static String role(Resource resource) {
    return last(resource).map(Resource.ReservationInfo::getRole).orElse("*");
  }

  static List<AuthorizationObject> objects(
      Stream<Resource> resources, Function<Resource, String> value) {
    return resources
        .map(value)
        .distinct()
        .map(AuthorizationObject::of)
        .collect(Collectors.toList());
  }
}
