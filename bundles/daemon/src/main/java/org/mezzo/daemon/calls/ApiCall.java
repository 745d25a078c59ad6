package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import java.util.Optional;
import org.mezzo.daemon.border.Refused;

/**
 * One call of a v1 API: its declaration, and what is done when it comes. One small class per call,
 * listed in the {@link CallTable} of its API; that is all a new call needs.
 *
 * @param <C> the call message of the API
 */
public interface ApiCall<C extends Message> {

  /** What the call is; the same each time. */
  CallDeclaration<C> declaration();

  /**
   * What is wrong with a call that carries what it must, as far as that shows without any state; a
   * text refuses it with 400 before anybody's leave is asked (rule 6).
   */
  default Optional<String> problem(C call) {
    return Optional.empty();
  }

  /**
   * Serves a call that carries what it must and has the leave it needs. Runs on a connector thread,
   * or on a worker when an authorizer had to be asked; must answer, now or later. What it throws is
   * the answer: a {@link Refused} as it says, anything else 500.
   */
  void handle(C call, CallExchange exchange) throws Exception;
}
