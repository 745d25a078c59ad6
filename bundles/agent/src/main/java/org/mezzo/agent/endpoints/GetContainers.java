package org.mezzo.agent.endpoints;

import java.util.List;
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
        Permission.perObject(Action.VIEW_CONTAINER),
        "The containers that run, with status and statistics.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respondWhen(
        containers
            .look(exchange.principal())
            .thenApplyAsync(GetContainers::response, containers.workers()));
  }

  private static Response response(List<ContainerLook.Looked> all) {
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
    return response.build();
  }
}
