package org.mezzo.agent.endpoints;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_HEALTH}. */
final class GetHealth implements ApiCall<Call> {
  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_HEALTH,
        Permission.none("whoever watches over the agent need not see anything of it"),
        "Whether the agent lives.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respond(
        Response.newBuilder()
            .setType(Response.Type.GET_HEALTH)
            .setGetHealth(Response.GetHealth.newBuilder().setHealthy(true))
            .build());
  }
}
