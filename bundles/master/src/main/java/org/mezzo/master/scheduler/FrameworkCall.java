package org.mezzo.master.scheduler;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/**
 * A call of a framework that is subscribed, which does one step on the event loop and is answered
 * with 202 after it.
 */
abstract class FrameworkCall implements ApiCall<Call> {
  private final SubscribedFrameworks frameworks;
  private final CallDeclaration<Call> declaration;

  FrameworkCall(SubscribedFrameworks frameworks, CallDeclaration<Call> declaration) {
    this.frameworks = frameworks;
    this.declaration = declaration;
  }

  /** The leave that calls need which only act on what the calling framework has already. */
  static Permission<Call> own() {
    return Permission.none("it acts on the framework's own, and needs its stream");
  }

  @Override
  public final CallDeclaration<Call> declaration() {
    return declaration;
  }

  @Override
  public final void handle(Call call, CallExchange exchange) {
    frameworks.step(call, exchange, step(call));
  }

  /** What the call does on the event loop. */
  abstract Step step(Call call);
}
