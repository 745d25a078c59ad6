package org.mezzo.master.operator;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.master.Call;

/** A call that is answered with 200 when the change that it asks for is stored and in force. */
abstract class ChangingCall implements ApiCall<Call> {
  private final Executor answers;
  private final CallDeclaration<Call> declaration;
  private final Change change;

  /** Makes the change that a call asks for; completes when it is in force. */
  interface Change {
    CompletionStage<Void> make(Optional<Principal> principal, Call call);
  }

  /**
   * A call.
   *
   * @param answers where it goes on once the change is in force
   * @param change what it asks for
   */
  ChangingCall(Executor answers, CallDeclaration<Call> declaration, Change change) {
    this.answers = answers;
    this.declaration = declaration;
    this.change = change;
  }

  @Override
  public final CallDeclaration<Call> declaration() {
    return declaration;
  }

  @Override
  public final void handle(Call call, CallExchange exchange) {
    exchange.when(change.make(exchange.principal(), call), answers, done -> exchange.ok());
  }
}
