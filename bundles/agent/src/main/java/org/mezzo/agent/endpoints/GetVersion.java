package org.mezzo.agent.endpoints;

import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_VERSION}. */
final class GetVersion implements ApiCall<Call> {
  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_VERSION,
        Permission.none("/version tells it to anybody"),
        "The versions of Mezzo and of the API.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respond(
        Response.newBuilder()
            .setType(Response.Type.GET_VERSION)
            .setGetVersion(Response.GetVersion.newBuilder().setVersionInfo(Versions.info()))
            .build());
  }
}
