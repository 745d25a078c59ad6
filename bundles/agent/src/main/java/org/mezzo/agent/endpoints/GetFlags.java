package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.flags.Flags;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_FLAGS}. */
final class GetFlags implements ApiCall<Call> {
  private final Flags flags;

  GetFlags(Flags flags) {
    this.flags = flags;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_FLAGS,
        Permission.of(Action.VIEW_FLAGS),
        "The agent's flags; passwords are masked.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respond(
        Response.newBuilder()
            .setType(Response.Type.GET_FLAGS)
            .setGetFlags(
                Response.GetFlags.newBuilder().addAllFlags(CommonEndpoints.flagMessages(flags)))
            .build());
  }
}
