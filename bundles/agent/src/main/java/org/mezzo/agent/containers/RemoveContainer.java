package org.mezzo.agent.containers;

import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;

/** {@code REMOVE_CONTAINER} and {@code REMOVE_NESTED_CONTAINER} (rule 344). */
final class RemoveContainer implements ApiCall<Call> {
  private final ContainerCall names;
  private final OperatorContainers containers;

  private RemoveContainer(ContainerCall names, OperatorContainers containers) {
    this.names = names;
    this.containers = containers;
  }

  static RemoveContainer any(OperatorContainers containers) {
    return new RemoveContainer(
        new ContainerCall(
            Call.Type.REMOVE_CONTAINER,
            "remove_container",
            call -> call.getRemoveContainer().getContainerId(),
            false),
        containers);
  }

  static RemoveContainer nested(OperatorContainers containers) {
    return new RemoveContainer(
        new ContainerCall(
            Call.Type.REMOVE_NESTED_CONTAINER,
            "remove_nested_container",
            call -> call.getRemoveNestedContainer().getContainerId(),
            true),
        containers);
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return names.declaration(
        "Deletes the sandbox of a container that has ended, and forgets how it did.",
        Action.REMOVE_NESTED_CONTAINER,
        Action.REMOVE_STANDALONE_CONTAINER);
  }

  @Override
  public Optional<String> problem(Call call) {
    return names.problem(call);
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.when(
        containers
            .allowed(
                exchange.principal(),
                names.id(call),
                Action.REMOVE_NESTED_CONTAINER,
                Action.REMOVE_STANDALONE_CONTAINER)
            .thenCompose(place -> containers.remove(names.id(call), place)),
        Runnable::run,
        removed -> exchange.ok());
  }
}
