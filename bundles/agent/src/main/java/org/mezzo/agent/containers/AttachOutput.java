package org.mezzo.agent.containers;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.protocol.v1.agent.Call;

/** {@code ATTACH_CONTAINER_OUTPUT} (rule 346). */
final class AttachOutput implements ApiCall<Call> {
  private static final ContainerCall NAMES =
      new ContainerCall(
          Call.Type.ATTACH_CONTAINER_OUTPUT,
          "attach_container_output",
          call -> call.getAttachContainerOutput().getContainerId(),
          false);

  private final OperatorContainers containers;
  private final EventLoop loop;
  private final Duration heartbeat;

  AttachOutput(OperatorContainers containers, EventLoop loop, Duration heartbeat) {
    this.containers = containers;
    this.loop = loop;
    this.heartbeat = heartbeat;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return NAMES.declaration(
        "Streams what a container writes from now on.", Action.ATTACH_CONTAINER_OUTPUT);
  }

  @Override
  public Optional<String> problem(Call call) {
    return NAMES.problem(call);
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    ContainerId id = NAMES.id(call);
    OutputRecords records = new OutputRecords(() -> containers.ended(id));
    exchange.when(
        containers
            .allowed(
                exchange.principal(),
                id,
                Action.ATTACH_CONTAINER_OUTPUT,
                Action.ATTACH_CONTAINER_OUTPUT)
            .thenCompose(place -> containers.attachOutput(id, records)),
        Runnable::run,
        attachment -> records.answer(exchange, attachment, loop, heartbeat, () -> {}));
  }
}
