package org.mezzo.master.reads;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/**
 * Names what a URL shows to whoever sees the same of the same root. The tag is a weak one: it is
 * the same for the compressed answer and the plain one, whose bytes differ. Immutable.
 */
final class EntityTag {
  private static final String WEAK = "W/";

  private final String opaque;
  private final boolean everybodys;

  private EntityTag(String opaque, boolean everybodys) {
    this.opaque = opaque;
    this.everybodys = everybodys;
  }

  /**
   * The tag of what is to be seen of a root.
   *
   * @param numbering who gave the root its number, so that the tags of two masters differ
   * @param visibility decided, when it is limited
   */
  static EntityTag of(String numbering, Root root, Visibility visibility) {
    String number = numbering + "-" + Long.toString(root.number(), Character.MAX_RADIX);
    return visibility == Visibility.ALL
        ? new EntityTag('"' + number + '"', true)
        : new EntityTag('"' + number + "-" + visibility.fingerprint(numbering) + '"', false);
  }

  /** Whether the client says that it has what this names, so that it need not be sent. */
  boolean heldBy(HttpExchange exchange) {
    if (!exchange.method().equals("GET") && !exchange.method().equals("HEAD")) {
      return false;
    }
    for (String line : exchange.headers().getOrDefault("if-none-match", List.of())) {
      for (String item : line.split(",")) {
        String tag = item.strip();
        if (tag.equals("*")
            || opaque.equals(tag.startsWith(WEAK) ? tag.substring(WEAK.length()) : tag)) {
          return true;
        }
      }
    }
    return false;
  }

  /** What a client that has it is answered with. */
  HttpResponse unchanged() {
    return on(HttpResponse.status(304));
  }

  /** The answer with the tag, and with what caches on its way have to know. */
  HttpResponse on(HttpResponse answer) {
    Map<String, String> headers = new LinkedHashMap<>(answer.headers());
    headers.put("ETag", WEAK + opaque);
    headers.put("Vary", "Accept-Encoding");
    // To be asked for again each time; what not everybody may see is for the client alone.
    headers.put("Cache-Control", everybodys ? "no-cache" : "private, no-cache");
    return new HttpResponse(answer.status(), headers, answer.body());
  }
}
