package org.mezzo.master.reads;

import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/**
 * An answer that many get: made once, and compressed once when the first client wants it so. Safe
 * for any thread.
 */
final class Rendered {
  private final HttpResponse plain;
  private HttpResponse compressed;

  Rendered(HttpResponse plain) {
    this.plain = plain;
  }

  /** Compresses now what a client of these wants compressed. */
  synchronized HttpResponse compressed() {
    if (compressed == null) {
      compressed = plain.compressed();
    }
    return compressed;
  }

  /** Sends the bytes as they are. */
  void sendTo(HttpExchange exchange) {
    exchange.respond(exchange.compresses() ? compressed() : plain);
  }

  /** Whether others who ask may get it. */
  boolean lasting() {
    return plain.status() == 200;
  }

  /** What it takes at most, in bytes: compressed it is hardly longer than plain. */
  long weight() {
    return 2L * plain.body().length;
  }
}
