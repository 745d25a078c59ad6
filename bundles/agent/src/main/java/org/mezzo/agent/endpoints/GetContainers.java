package org.mezzo.agent.endpoints;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_CONTAINERS}. */
final class GetContainers implements ApiCall<Call> {
  private final ContainerLook containers;

  GetContainers(ContainerLook containers) {
    this.containers = containers;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_CONTAINERS,
        Permission.perObject(Action.VIEW_CONTAINER, Action.VIEW_STANDALONE_CONTAINER),
        "The containers that run, with status and statistics; nested and standalone ones where the"
            + " call asks for them.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    boolean nested = call.getGetContainers().getShowNested();
    boolean standalone = call.getGetContainers().getShowStandalone();
    CompletionStage<List<ContainerLook.Other>> others =
        nested || standalone
            ? containers.others(exchange.principal(), nested, standalone)
            : CompletableFuture.completedStage(List.of());
    exchange.respondWhen(
        containers
            .look(exchange.principal())
            .thenCombineAsync(others, GetContainers::response, containers.workers()));
  }

  private static Response response(
      List<ContainerLook.Looked> all, List<ContainerLook.Other> others) {
    Response.Builder response = Response.newBuilder().setType(Response.Type.GET_CONTAINERS);
    for (ContainerLook.Looked one : all) {
      Response.GetContainers.Container.Builder container =
          response.getGetContainersBuilder().addContainersBuilder();
      container.getExecutorIdBuilder().setValue(one.executor());
      container.getFrameworkIdBuilder().setValue(one.framework());
      container.getContainerIdBuilder().setValue(one.container());
      container
          .setExecutorName(one.of().executor().info().getName())
          .setContainerStatus(one.status());
      one.usage().ifPresent(container::setResourceStatistics);
    }
    for (ContainerLook.Other one : others) {
      Response.GetContainers.Container.Builder container =
          response.getGetContainersBuilder().addContainersBuilder();
      // Without its parents, as in Mesos; its status has them.
      container.getContainerIdBuilder().setValue(one.id().value());
      container.setContainerStatus(one.status());
      one.usage().ifPresent(container::setResourceStatistics);
    }
    return response.build();
  }
}
