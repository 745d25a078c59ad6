package org.mezzo.agent.containers;

import java.util.Optional;
import java.util.function.Function;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;

/** {@code KILL_CONTAINER} and {@code KILL_NESTED_CONTAINER} (rule 344). */
final class KillContainer implements ApiCall<Call> {
  private static final int SIGKILL = 9;
  private static final int LAST_SIGNAL = 64;

  private final ContainerCall names;
  private final Function<Call, Optional<Integer>> signal;
  private final OperatorContainers containers;

  private KillContainer(
      ContainerCall names,
      Function<Call, Optional<Integer>> signal,
      OperatorContainers containers) {
    this.names = names;
    this.signal = signal;
    this.containers = containers;
  }

  static KillContainer any(OperatorContainers containers) {
    return new KillContainer(
        new ContainerCall(
            Call.Type.KILL_CONTAINER,
            "kill_container",
            call -> call.getKillContainer().getContainerId(),
            false),
        call ->
            call.getKillContainer().hasSignal()
                ? Optional.of(call.getKillContainer().getSignal())
                : Optional.empty(),
        containers);
  }

  static KillContainer nested(OperatorContainers containers) {
    return new KillContainer(
        new ContainerCall(
            Call.Type.KILL_NESTED_CONTAINER,
            "kill_nested_container",
            call -> call.getKillNestedContainer().getContainerId(),
            true),
        call ->
            call.getKillNestedContainer().hasSignal()
                ? Optional.of(call.getKillNestedContainer().getSignal())
                : Optional.empty(),
        containers);
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return names.declaration(
        "Sends a signal, SIGKILL where it names none, to the processes of a container.",
        Action.KILL_NESTED_CONTAINER,
        Action.KILL_STANDALONE_CONTAINER);
  }

  @Override
  public Optional<String> problem(Call call) {
    return names
        .problem(call)
        .or(
            () ->
                signal
                    .apply(call)
                    .filter(number -> number < 1 || number > LAST_SIGNAL)
                    .map(
                        number ->
                            "'"
                                + names.field()
                                + ".signal' is "
                                + number
                                + ": give the number of a signal, from 1 to "
                                + LAST_SIGNAL));
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.when(
        containers
            .allowed(
                exchange.principal(),
                names.id(call),
                Action.KILL_NESTED_CONTAINER,
                Action.KILL_STANDALONE_CONTAINER)
            .thenCompose(
                place -> containers.signal(names.id(call), signal.apply(call).orElse(SIGKILL))),
        Runnable::run,
        sent -> exchange.ok());
  }
}
