package org.mezzo.agent.endpoints;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_RESOURCE_PROVIDERS}: none, as all resources are the agent's own. */
final class GetResourceProviders implements ApiCall<Call> {
  private static final Response NONE =
      Response.newBuilder()
          .setType(Response.Type.GET_RESOURCE_PROVIDERS)
          .setGetResourceProviders(Response.GetResourceProviders.getDefaultInstance())
          .build();

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_RESOURCE_PROVIDERS,
        Permission.none("there are none that could be seen"),
        "The resource providers, of which this agent has none.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respond(NONE);
  }
}
