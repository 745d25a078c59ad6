package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_FRAMEWORKS}. */
final class GetFrameworks implements ApiCall<Call> {
  private final AgentReads reads;

  GetFrameworks(AgentReads reads) {
    this.reads = reads;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_FRAMEWORKS,
        Permission.perObject(Action.VIEW_FRAMEWORK),
        "Frameworks that have, or had, tasks here.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respondWhen(
        reads.state(
            exchange.principal(),
            declaration().permission().actions(),
            state ->
                Response.newBuilder()
                    .setType(Response.Type.GET_FRAMEWORKS)
                    .setGetFrameworks(StateMessages.frameworks(state.frameworks()))
                    .build()));
  }
}
