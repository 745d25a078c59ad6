package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code GET_TASKS}. */
final class GetTasks implements ApiCall<Call> {
  private final AgentReads reads;

  GetTasks(AgentReads reads) {
    this.reads = reads;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_TASKS,
        Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_EXECUTOR, Action.VIEW_TASK),
        "Tasks that were launched, have ended, or belong to an executor that has.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respondWhen(
        reads.state(
            exchange.principal(),
            declaration().permission().actions(),
            state ->
                Response.newBuilder()
                    .setType(Response.Type.GET_TASKS)
                    .setGetTasks(StateMessages.tasks(state.frameworks()))
                    .build()));
  }
}
