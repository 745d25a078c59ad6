package org.mezzo.agent.endpoints;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_AGENT}. */
final class GetAgent implements ApiCall<Call> {
  private final AgentDescription self;

  GetAgent(AgentDescription self) {
    this.self = self;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_AGENT,
        Permission.none("every offer tells it to frameworks"),
        "What the agent is registered as.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respond(
        Response.newBuilder()
            .setType(Response.Type.GET_AGENT)
            .setGetAgent(Response.GetAgent.newBuilder().setAgentInfo(self.info().get()))
            .build());
  }
}
