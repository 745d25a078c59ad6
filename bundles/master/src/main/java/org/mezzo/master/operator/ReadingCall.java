package org.mezzo.master.operator;

import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.reads.StateReader;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/**
 * A call that is answered from the published state with what of it the caller may see: what its
 * permission names is asked about, and what was not asked about is left out.
 */
abstract class ReadingCall implements ApiCall<Call> {
  private final StateReader reader;
  private final CallDeclaration<Call> declaration;

  ReadingCall(StateReader reader, CallDeclaration<Call> declaration) {
    this.reader = reader;
    this.declaration = declaration;
  }

  @Override
  public final CallDeclaration<Call> declaration() {
    return declaration;
  }

  @Override
  public final void handle(Call call, CallExchange exchange) throws Refused {
    reader.read(
        exchange.http(),
        exchange.principal(),
        declaration.permission().actions(),
        (state, visibility) -> exchange.respond(answer(state, visibility)));
  }

  /** Runs on a worker. */
  abstract Response answer(MasterState state, Visibility visibility);
}
