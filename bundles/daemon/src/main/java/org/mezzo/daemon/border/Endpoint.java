package org.mezzo.daemon.border;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.http.HttpExchange;

/** Answers the requests of one route, on a connector thread or the thread that authenticated. */
@FunctionalInterface
public interface Endpoint {
  /** Must answer the exchange, now or later. An exception is answered with 500 and logged. */
  void handle(HttpExchange exchange, Optional<Principal> principal) throws Exception;
}
