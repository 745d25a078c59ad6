package org.mezzo.master.operator;

import java.util.Map;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/**
 * A call that is answered from the published state with what of it the caller may see: what its
 * permission names is asked about, and what was not asked about is left out. Whoever asks the same
 * of the same state and sees the same gets the same bytes.
 */
abstract class ReadingCall implements ApiCall<Call> {
  private final StateAnswers answers;
  private final CallDeclaration<Call> declaration;

  ReadingCall(StateAnswers answers, CallDeclaration<Call> declaration) {
    this.answers = answers;
    this.declaration = declaration;
  }

  @Override
  public final CallDeclaration<Call> declaration() {
    return declaration;
  }

  @Override
  public final void handle(Call call, CallExchange exchange) throws Refused {
    answers.answerCall(
        exchange.http(),
        exchange.principal(),
        declaration.permission().actions(),
        declaration.name(),
        exchange.accept().text(),
        (root, visibility) ->
            new HttpResponse(
                200,
                Map.of("Content-Type", exchange.accept().text()),
                Encoded.bytes(answer(root.state(), visibility), exchange.accept())));
  }

  /** Made from nothing but this; runs on a reader. */
  abstract Response answer(MasterState state, Visibility visibility);
}
