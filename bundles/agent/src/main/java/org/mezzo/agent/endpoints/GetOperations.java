package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_OPERATIONS}. */
final class GetOperations implements ApiCall<Call> {
  private final AgentReads reads;

  GetOperations(AgentReads reads) {
    this.reads = reads;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_OPERATIONS,
        Permission.perObject(Action.VIEW_ROLE),
        "Operations on the agent's resources whose outcome is not known or not acknowledged.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respondWhen(
        reads
            .operations(exchange.principal())
            .thenApply(
                operations ->
                    Response.newBuilder()
                        .setType(Response.Type.GET_OPERATIONS)
                        .setGetOperations(
                            Response.GetOperations.newBuilder().addAllOperations(operations))
                        .build()));
  }
}
