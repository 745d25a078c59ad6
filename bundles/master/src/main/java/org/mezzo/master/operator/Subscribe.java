package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.reads.StateReader;
import org.mezzo.protocol.v1.master.Call;

/** SUBSCRIBE: the state, then what happens to it (rules 158 and 159). */
final class Subscribe implements ApiCall<Call> {
  private final StateReader reader;
  private final OperatorStreams streams;

  Subscribe(StateReader reader, OperatorStreams streams) {
    this.reader = reader;
    this.streams = streams;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.SUBSCRIBE,
        Permission.perObject(
            Action.VIEW_FRAMEWORK, Action.VIEW_TASK, Action.VIEW_EXECUTOR, Action.VIEW_ROLE),
        "A stream of events: the state, then what happens to it.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    reader.read(
        exchange.http(),
        exchange.principal(),
        declaration().permission().actions(),
        (state, visibility) -> streams.subscribe(exchange, visibility.lasting(state)));
  }
}
