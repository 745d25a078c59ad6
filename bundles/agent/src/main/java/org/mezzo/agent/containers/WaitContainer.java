package org.mezzo.agent.containers;

import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.Containerizer.Limitation;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.TaskResourceLimitation;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;
import org.mezzo.resources.Resources;

/** {@code WAIT_CONTAINER} and {@code WAIT_NESTED_CONTAINER} (rule 343). */
final class WaitContainer implements ApiCall<Call> {
  private final ContainerCall names;
  private final OperatorContainers containers;

  private WaitContainer(ContainerCall names, OperatorContainers containers) {
    this.names = names;
    this.containers = containers;
  }

  static WaitContainer any(OperatorContainers containers) {
    return new WaitContainer(
        new ContainerCall(
            Call.Type.WAIT_CONTAINER,
            "wait_container",
            call -> call.getWaitContainer().getContainerId(),
            false),
        containers);
  }

  static WaitContainer nested(OperatorContainers containers) {
    return new WaitContainer(
        new ContainerCall(
            Call.Type.WAIT_NESTED_CONTAINER,
            "wait_nested_container",
            call -> call.getWaitNestedContainer().getContainerId(),
            true),
        containers);
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return names.declaration(
        "Is answered when a container has ended, with how it did.",
        Action.WAIT_NESTED_CONTAINER,
        Action.WAIT_STANDALONE_CONTAINER);
  }

  @Override
  public Optional<String> problem(Call call) {
    return names.problem(call);
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respondWhen(
        containers
            .allowed(
                exchange.principal(),
                names.id(call),
                Action.WAIT_NESTED_CONTAINER,
                Action.WAIT_STANDALONE_CONTAINER)
            .thenCompose(place -> containers.termination(names.id(call)))
            .thenApply(this::response));
  }

  private Response response(Termination end) {
    Response.WaitContainer.Builder told = Response.WaitContainer.newBuilder();
    end.waitStatus().ifPresent(told::setExitStatus);
    if (end.limitation().isPresent()) {
      Limitation limit = end.limitation().get();
      told.setState(TaskState.TASK_FAILED)
          .setMessage(limit.message())
          .setLimitation(
              TaskResourceLimitation.newBuilder()
                  .addAllResources(limit.resources().toMessages(Resources.Format.POST_REFINEMENT)));
      reason(limit.reason()).ifPresent(told::setReason);
    }
    return names.nestedOnly() ? nested(told) : any(told);
  }

  private static Optional<Reason> reason(String name) {
    try {
      return Optional.of(Reason.valueOf(name));
    } catch (IllegalArgumentException e) {
      // An isolator may say what this version does not know.
      return Optional.empty();
    }
  }

  private static Response any(Response.WaitContainer.Builder told) {
    return Response.newBuilder()
        .setType(Response.Type.WAIT_CONTAINER)
        .setWaitContainer(told)
        .build();
  }

  private static Response nested(Response.WaitContainer.Builder told) {
    Response.WaitNestedContainer.Builder same = Response.WaitNestedContainer.newBuilder();
    if (told.hasExitStatus()) {
      same.setExitStatus(told.getExitStatus());
    }
    if (told.hasLimitation()) {
      same.setState(told.getState())
          .setLimitation(told.getLimitation())
          .setMessage(told.getMessage());
    }
    if (told.hasReason()) {
      same.setReason(told.getReason());
    }
    return Response.newBuilder()
        .setType(Response.Type.WAIT_NESTED_CONTAINER)
        .setWaitNestedContainer(same)
        .build();
  }
}
