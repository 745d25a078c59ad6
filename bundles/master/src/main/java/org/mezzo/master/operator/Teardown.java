package org.mezzo.master.operator;

import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.master.Call;

/** TEARDOWN: ends a framework with all its tasks, for good. */
final class Teardown implements ApiCall<Call> {
  private final FrameworkTeardown teardown;

  Teardown(FrameworkTeardown teardown) {
    this.teardown = teardown;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.TEARDOWN,
            FrameworkTeardown.permission(),
            "Ends a framework with all its tasks, for good.")
        .carrying("teardown");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    exchange.when(
        teardown.end(call.getTeardown().getFrameworkId().getValue(), exchange.principal()),
        Runnable::run,
        ended -> exchange.ok());
  }
}
