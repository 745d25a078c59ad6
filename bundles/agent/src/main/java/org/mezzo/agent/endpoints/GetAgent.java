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
        "What the agent is registered as, and whether it drains.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    Response.GetAgent.Builder agent =
        Response.GetAgent.newBuilder().setAgentInfo(self.info().get());
    self.drain()
        .get()
        .ifPresent(
            drain ->
                agent.setDrainConfig(drain.config()).setEstimatedDrainStartTime(drain.began()));
    exchange.respond(
        Response.newBuilder().setType(Response.Type.GET_AGENT).setGetAgent(agent).build());
  }
}
