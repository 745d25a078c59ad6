package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_EXECUTORS}. */
final class GetExecutors implements ApiCall<Call> {
  private final AgentReads reads;

  GetExecutors(AgentReads reads) {
    this.reads = reads;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_EXECUTORS,
        Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_EXECUTOR),
        "Executors, running and completed.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respondWhen(
        reads.state(
            exchange.principal(),
            declaration().permission().actions(),
            state ->
                Response.newBuilder()
                    .setType(Response.Type.GET_EXECUTORS)
                    .setGetExecutors(StateMessages.executors(state.frameworks()))
                    .build()));
  }
}
