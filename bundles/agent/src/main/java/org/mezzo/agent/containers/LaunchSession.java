package org.mezzo.agent.containers;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.resources.Resources;

/** {@code LAUNCH_NESTED_CONTAINER_SESSION} (rule 345). */
final class LaunchSession implements ApiCall<Call> {
  private static final ContainerCall NAMES =
      new ContainerCall(
          Call.Type.LAUNCH_NESTED_CONTAINER_SESSION,
          "launch_nested_container_session",
          call -> call.getLaunchNestedContainerSession().getContainerId(),
          true);

  private final OperatorContainers containers;
  private final EventLoop loop;
  private final Duration heartbeat;

  LaunchSession(OperatorContainers containers, EventLoop loop, Duration heartbeat) {
    this.containers = containers;
    this.loop = loop;
    this.heartbeat = heartbeat;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return NAMES.declaration(
        "Launches a container in one that runs, streams its output, and ends it with the"
            + " connection.",
        Action.LAUNCH_NESTED_CONTAINER_SESSION,
        Action.LAUNCH_STANDALONE_CONTAINER);
  }

  @Override
  public Optional<String> problem(Call call) {
    Call.LaunchNestedContainerSession wanted = call.getLaunchNestedContainerSession();
    return NAMES
        .problem(call)
        .or(() -> LaunchContainer.command(NAMES.field(), wanted.hasCommand(), wanted.getCommand()))
        .or(() -> TerminalInfo.problem(NAMES.field() + ".container", wanted.getContainer()));
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    Call.LaunchNestedContainerSession wanted = call.getLaunchNestedContainerSession();
    ContainerId id = NAMES.id(call);
    OperatorContainers.Wanted session =
        new OperatorContainers.Wanted(
            id,
            wanted.getCommand(),
            wanted.getContainer(),
            Resources.EMPTY,
            Resources.EMPTY,
            true,
            TerminalInfo.of(ContainerIo.SESSION, wanted.getContainer()));
    exchange.when(
        containers
            .allowed(
                exchange.principal(),
                id,
                Action.LAUNCH_NESTED_CONTAINER_SESSION,
                Action.LAUNCH_STANDALONE_CONTAINER,
                wanted.getCommand())
            .thenCompose(place -> containers.launch(session, place)),
        Runnable::run,
        isNew -> {
          if (isNew) {
            attach(id, exchange);
          } else {
            exchange.accepted();
          }
        });
  }

  private void attach(ContainerId id, CallExchange exchange) {
    OutputRecords records = new OutputRecords(() -> containers.ended(id));
    exchange.when(
        containers
            .attachOutput(id, records)
            .whenComplete(
                (attachment, failure) -> {
                  if (failure != null) {
                    containers.destroy(id);
                  }
                }),
        Runnable::run,
        attachment ->
            records.answer(exchange, attachment, loop, heartbeat, () -> containers.destroy(id)));
  }
}
