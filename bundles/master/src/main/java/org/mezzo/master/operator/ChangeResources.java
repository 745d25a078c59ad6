package org.mezzo.master.operator;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.master.Call;

/**
 * A call that changes reservations or volumes of an agent, answered with 202 (rules 268 to 271).
 */
final class ChangeResources implements ApiCall<Call> {
  private static final String INVALID = "Failed to validate master::Call: ";

  private final ResourceChanges changes;
  private final CallDeclaration<Call> declaration;
  private final Predicate<Call> namesAgent;
  private final Function<Call, String> agentId;
  private final Function<Call, Offer.Operation> operation;

  private ChangeResources(
      ResourceChanges changes,
      CallDeclaration<Call> declaration,
      Predicate<Call> namesAgent,
      Function<Call, String> agentId,
      Function<Call, Offer.Operation> operation) {
    this.changes = changes;
    this.declaration = declaration;
    this.namesAgent = namesAgent;
    this.agentId = agentId;
    this.operation = operation;
  }

  /** All of them. */
  static List<ApiCall<Call>> all(ResourceChanges changes) {
    return List.of(
        new ChangeResources(
            changes,
            declaration(
                Call.Type.RESERVE_RESOURCES,
                Offer.Operation.Type.RESERVE,
                "reserve_resources",
                "Reserves resources of an agent for a role, or replaces reservations by others."),
            call -> true,
            call -> call.getReserveResources().getAgentId().getValue(),
            call ->
                operation(Offer.Operation.Type.RESERVE)
                    .setReserve(
                        Offer.Operation.Reserve.newBuilder()
                            .addAllSource(call.getReserveResources().getSourceList())
                            .addAllResources(call.getReserveResources().getResourcesList()))
                    .build()),
        new ChangeResources(
            changes,
            declaration(
                Call.Type.UNRESERVE_RESOURCES,
                Offer.Operation.Type.UNRESERVE,
                "unreserve_resources",
                "Takes the innermost layer of reservation from resources of an agent."),
            call -> true,
            call -> call.getUnreserveResources().getAgentId().getValue(),
            call ->
                operation(Offer.Operation.Type.UNRESERVE)
                    .setUnreserve(
                        Offer.Operation.Unreserve.newBuilder()
                            .addAllResources(call.getUnreserveResources().getResourcesList()))
                    .build()),
        new ChangeResources(
            changes,
            declaration(
                Call.Type.CREATE_VOLUMES,
                Offer.Operation.Type.CREATE,
                "create_volumes",
                "Makes persistent volumes of reserved disk of an agent."),
            call -> true,
            call -> call.getCreateVolumes().getAgentId().getValue(),
            call ->
                operation(Offer.Operation.Type.CREATE)
                    .setCreate(
                        Offer.Operation.Create.newBuilder()
                            .addAllVolumes(call.getCreateVolumes().getVolumesList()))
                    .build()),
        new ChangeResources(
            changes,
            declaration(
                Call.Type.DESTROY_VOLUMES,
                Offer.Operation.Type.DESTROY,
                "destroy_volumes",
                "Deletes persistent volumes of an agent with all that they hold."),
            call -> true,
            call -> call.getDestroyVolumes().getAgentId().getValue(),
            call ->
                operation(Offer.Operation.Type.DESTROY)
                    .setDestroy(
                        Offer.Operation.Destroy.newBuilder()
                            .addAllVolumes(call.getDestroyVolumes().getVolumesList()))
                    .build()),
        new ChangeResources(
            changes,
            declaration(
                Call.Type.GROW_VOLUME,
                Offer.Operation.Type.GROW_VOLUME,
                "grow_volume",
                "Makes a persistent volume of an agent larger."),
            call -> call.getGrowVolume().hasAgentId(),
            call -> call.getGrowVolume().getAgentId().getValue(),
            call ->
                operation(Offer.Operation.Type.GROW_VOLUME)
                    .setGrowVolume(
                        Offer.Operation.GrowVolume.newBuilder()
                            .setVolume(call.getGrowVolume().getVolume())
                            .setAddition(call.getGrowVolume().getAddition()))
                    .build()),
        new ChangeResources(
            changes,
            declaration(
                Call.Type.SHRINK_VOLUME,
                Offer.Operation.Type.SHRINK_VOLUME,
                "shrink_volume",
                "Makes a persistent volume of an agent smaller."),
            call -> call.getShrinkVolume().hasAgentId(),
            call -> call.getShrinkVolume().getAgentId().getValue(),
            call ->
                operation(Offer.Operation.Type.SHRINK_VOLUME)
                    .setShrinkVolume(
                        Offer.Operation.ShrinkVolume.newBuilder()
                            .setVolume(call.getShrinkVolume().getVolume())
                            .setSubtract(call.getShrinkVolume().getSubtract()))
                    .build()));
  }

  private static CallDeclaration<Call> declaration(
      Call.Type call, Offer.Operation.Type operation, String message, String help) {
    return CallDeclaration.<Call>of(call, ResourceChanges.permission(operation), help)
        .carrying(message);
  }

  private static Offer.Operation.Builder operation(Offer.Operation.Type type) {
    return Offer.Operation.newBuilder().setType(type);
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return declaration;
  }

  @Override
  public Optional<String> problem(Call call) {
    return namesAgent.test(call)
        ? Optional.empty()
        : Optional.of(
            "Expecting 'agent_id' to be present; only agent default resources are supported right"
                + " now");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    exchange.when(
        changes.make(exchange.principal(), agentId.apply(call), operation.apply(call), INVALID),
        Runnable::run,
        done -> exchange.accepted());
  }
}
