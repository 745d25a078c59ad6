package org.mezzo.agent.executor;

import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.executor.Call;

/** MESSAGE: data for the framework, which may be lost (rule 50). */
final class Message implements ApiCall<Call> {
  private final ExecutorApi api;

  Message(ExecutorApi api) {
    this.api = api;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
            Call.Type.MESSAGE, ExecutorApi.PERMISSION, "Sends data to the framework.")
        .carrying("message");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    api.when(call, exchange, tasks -> tasks.message(call), exchange::accepted);
  }
}
