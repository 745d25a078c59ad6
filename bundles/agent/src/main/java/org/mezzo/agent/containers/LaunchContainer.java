package org.mezzo.agent.containers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** {@code LAUNCH_CONTAINER} and {@code LAUNCH_NESTED_CONTAINER} (rules 341 and 342). */
final class LaunchContainer implements ApiCall<Call> {
  private final ContainerCall names;
  private final Function<Call, Call.LaunchContainer> wish;
  private final OperatorContainers containers;

  private LaunchContainer(
      ContainerCall names,
      Function<Call, Call.LaunchContainer> wish,
      OperatorContainers containers) {
    this.names = names;
    this.wish = wish;
    this.containers = containers;
  }

  static LaunchContainer any(OperatorContainers containers) {
    return new LaunchContainer(
        new ContainerCall(
            Call.Type.LAUNCH_CONTAINER,
            "launch_container",
            call -> call.getLaunchContainer().getContainerId(),
            false),
        Call::getLaunchContainer,
        containers);
  }

  static LaunchContainer nested(OperatorContainers containers) {
    return new LaunchContainer(
        new ContainerCall(
            Call.Type.LAUNCH_NESTED_CONTAINER,
            "launch_nested_container",
            call -> call.getLaunchNestedContainer().getContainerId(),
            true),
        call -> newer(call.getLaunchNestedContainer()),
        containers);
  }

  private static Call.LaunchContainer newer(Call.LaunchNestedContainer older) {
    Call.LaunchContainer.Builder newer =
        Call.LaunchContainer.newBuilder().setContainerId(older.getContainerId());
    if (older.hasCommand()) {
      newer.setCommand(older.getCommand());
    }
    if (older.hasContainer()) {
      newer.setContainer(older.getContainer());
    }
    return newer.build();
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return names.declaration(
        "Launches a container in one that runs, or one that stands alone.",
        Action.LAUNCH_NESTED_CONTAINER,
        Action.LAUNCH_STANDALONE_CONTAINER);
  }

  @Override
  public Optional<String> problem(Call call) {
    Call.LaunchContainer wanted = wish.apply(call);
    return names
        .problem(call)
        .or(() -> command(names.field(), wanted.hasCommand(), wanted.getCommand()))
        .or(() -> resources(names.id(call), wanted))
        .or(() -> TerminalInfo.problem(names.field() + ".container", wanted.getContainer()));
  }

  /** What is wrong with a command (rule 200). */
  static Optional<String> command(String field, boolean there, CommandInfo command) {
    if (!there) {
      return Optional.of(CallTable.absent(field + ".command"));
    }
    return command.hasValue()
        ? Optional.empty()
        : Optional.of(CallTable.absent(field + ".command.value"));
  }

  private Optional<String> resources(ContainerId id, Call.LaunchContainer wanted) {
    ContainerInfo info = wanted.getContainer();
    boolean shares = info.getLinuxInfo().getShareCgroups();
    boolean says = info.getLinuxInfo().hasShareCgroups();
    boolean deep = id.parent().flatMap(ContainerId::parent).isPresent();
    String sharing = "'" + names.field() + ".container.linux_info.share_cgroups'";
    if (id.parent().isEmpty() && says && shares) {
      return Optional.of(sharing + " cannot be true of a container without a parent");
    }
    if (id.parent().isPresent() && says && !shares) {
      return Optional.of(
          sharing + " cannot be false: what limits a container limits those in it; leave it out");
    }
    if (deep && (wanted.getResourcesCount() > 0 || wanted.getLimitsCount() > 0)) {
      return Optional.of(
          "'"
              + names.field()
              + ".resources' and 'limits' cannot be given to a container at the second level of"
              + " nesting or deeper; leave them out");
    }
    try {
      Resources asked = Resources.of(wanted.getResourcesList());
      boolean plain =
          wanted.getResourcesList().stream()
              .allMatch(
                  each ->
                      each.getReservationsCount() == 0
                          && !each.hasReservation()
                          && (each.getRole().isEmpty() || each.getRole().equals("*"))
                          && !each.hasRevocable()
                          && !each.getDisk().hasPersistence());
      return plain && asked.nonRevocable().equals(asked)
          ? Optional.empty()
          : Optional.of(
              "'"
                  + names.field()
                  + ".resources' have to be unreserved, neither revocable nor persistent volumes");
    } catch (ResourceFormatException e) {
      return Optional.of("'" + names.field() + ".resources' are invalid: " + e.getMessage());
    }
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws ResourceFormatException {
    Call.LaunchContainer wanted = wish.apply(call);
    OperatorContainers.Wanted launched =
        new OperatorContainers.Wanted(
            names.id(call),
            wanted.getCommand(),
            wanted.getContainer(),
            Resources.of(wanted.getResourcesList()).unallocated(),
            limits(wanted.getLimitsMap()),
            false,
            TerminalInfo.of(ContainerIo.FILES, wanted.getContainer()));
    exchange.when(
        containers
            .allowed(
                exchange.principal(),
                launched.id(),
                Action.LAUNCH_NESTED_CONTAINER,
                Action.LAUNCH_STANDALONE_CONTAINER,
                wanted.getCommand())
            .thenCompose(place -> containers.launch(launched, place)),
        Runnable::run,
        isNew -> {
          if (isNew) {
            exchange.ok();
          } else {
            exchange.accepted();
          }
        });
  }

  private static Resources limits(Map<String, Value.Scalar> given) {
    List<Resource> limits = new ArrayList<>();
    given.forEach(
        // Infinity has no fixed-point form; nothing a machine has comes near this.
        (name, value) ->
            limits.add(
                Resource.scalar(
                    name, Double.isInfinite(value.getValue()) ? 1e12 : value.getValue())));
    return limits.isEmpty() ? Resources.EMPTY : Resources.of(limits.toArray(new Resource[0]));
  }
}
