package org.mezzo.master.scheduler;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.scheduler.Call;

/** UNKNOWN: refused with 501 once it is known that the caller may call at all (rules 11, 37). */
final class UnknownCall implements ApiCall<Call> {
  private final SubscribedFrameworks frameworks;

  UnknownCall(SubscribedFrameworks frameworks) {
    this.frameworks = frameworks;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.UNKNOWN, Permission.none("it does nothing"), "Refused with 501.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    frameworks.with(call, exchange, (term, framework) -> exchange.notServed(Call.Type.UNKNOWN));
  }
}
