package org.mezzo.master.operator;

import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_VERSION: the version of the daemon. */
final class GetVersion implements ApiCall<Call> {
  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_VERSION,
        Permission.none("versions are told by /version, too"),
        "The version of the daemon.");
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
