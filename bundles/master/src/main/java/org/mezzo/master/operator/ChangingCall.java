package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.protocol.v1.master.Call;

/**
 * A call whose leave is asked before it is served, and which is answered with 200 when the change
 * that it asks for is stored and in force.
 */
abstract class ChangingCall implements ApiCall<Call> {
  private final LeaderChanges changes;
  private final Executor answers;
  private final CallDeclaration<Call> declaration;
  private final Function<Call, LeaderChanges.Change> change;

  /**
   * A call.
   *
   * @param answers where it goes on once the change is in force
   * @param change what it asks for
   */
  ChangingCall(
      LeaderChanges changes,
      Executor answers,
      CallDeclaration<Call> declaration,
      Function<Call, LeaderChanges.Change> change) {
    this.changes = changes;
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
    exchange.when(changes.make(change.apply(call)), answers, done -> exchange.ok());
  }
}
