package org.mezzo.agent.executor;

import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.executor.Call;

/** HEARTBEAT: keeps connections in between open; nobody is looked up (rule 192). */
final class Heartbeat implements ApiCall<Call> {
  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.HEARTBEAT, ExecutorApi.PERMISSION, "Keeps the way to the agent open.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    ExecutorApi.check(call, exchange);
    exchange.accepted();
  }
}
