package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.transitions.PolicyChange;
import org.mezzo.protocol.v1.master.Call;

/** A call that changes weights or quotas, and is answered with 200 when the change is in force. */
abstract class PolicyCall implements ApiCall<Call> {
  private final PolicyChanges policies;
  private final Executor answers;
  private final CallDeclaration<Call> declaration;
  private final Function<Call, PolicyChange> change;

  /**
   * A call.
   *
   * @param answers where it goes on once the change is in force
   * @param change what it asks for
   */
  PolicyCall(
      PolicyChanges policies,
      Executor answers,
      CallDeclaration<Call> declaration,
      Function<Call, PolicyChange> change) {
    this.policies = policies;
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
    exchange.when(
        policies.make(exchange.principal(), change.apply(call)), answers, done -> exchange.ok());
  }
}
