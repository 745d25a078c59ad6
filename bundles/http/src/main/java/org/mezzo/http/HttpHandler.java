package org.mezzo.http;

/** Answers exchanges. */
@FunctionalInterface
public interface HttpHandler {

  /**
   * Called on a connector thread when the request's head is there. May return before the exchange
   * is answered; must not block for long. An exception answers 500 and is logged.
   */
  void handle(HttpExchange exchange) throws Exception;
}
