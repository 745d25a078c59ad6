package org.mezzo.master.operator;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_HEALTH: tells that the daemon is healthy. */
final class GetHealth implements ApiCall<Call> {
  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_HEALTH,
        Permission.none("a daemon that answers is healthy, which is all it tells"),
        "Tells that the daemon is healthy.");
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
