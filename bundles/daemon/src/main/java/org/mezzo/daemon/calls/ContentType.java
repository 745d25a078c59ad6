package org.mezzo.daemon.calls;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.mezzo.http.HttpExchange;

/** How a message is written. */
public enum ContentType {
  JSON("application/json"),
  PROTOBUF("application/x-protobuf"),
  RECORDIO("application/recordio");

  private final String text;

  ContentType(String text) {
    this.text = text;
  }

  /** The media type. */
  public String text() {
    return text;
  }

  /** The type of exactly this text: parameters and other case are not understood (rule 4). */
  public static Optional<ContentType> exactly(String text) {
    for (ContentType type : values()) {
      if (type.text.equals(text)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /**
   * The first of the offered types that the request's Accept header allows (rule 9): no header
   * allows everything, {@code q=0} excludes, other weights do not rank. Of a header that is there
   * several times the last line decides, as clients rely on that send {@code
   * application/x-protobuf} and, for a stream, {@code application/recordio} behind it; those before
   * count where the last one allows nothing that is offered.
   */
  public static Optional<ContentType> accepted(HttpExchange exchange, ContentType... offered) {
    return accepted(exchange, "accept", offered);
  }

  /**
   * The same of another header.
   *
   * @param header in lower case
   */
  static Optional<ContentType> accepted(
      HttpExchange exchange, String header, ContentType... offered) {
    List<String> headers = exchange.headers().get(header);
    if (headers == null || headers.isEmpty()) {
      return Optional.of(offered[0]);
    }
    for (int line = headers.size() - 1; line >= 0; line--) {
      for (ContentType type : offered) {
        if (type.allowedBy(headers.get(line))) {
          return Optional.of(type);
        }
      }
    }
    return Optional.empty();
  }

  /** The most specific range of the header that fits decides. */
  boolean allowedBy(String accept) {
    int best = 0;
    boolean allowed = false;
    for (String item : accept.split(",")) {
      String[] parts = item.split(";");
      String range = parts[0].strip().toLowerCase(Locale.ROOT);
      int precision =
          range.equals(text) ? 3 : range.equals("application/*") ? 2 : range.equals("*/*") ? 1 : 0;
      if (precision > best) {
        best = precision;
        allowed = !excluded(parts);
      }
    }
    return allowed;
  }

  private static boolean excluded(String[] parts) {
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip().toLowerCase(Locale.ROOT);
      if (parameter.startsWith("q=")) {
        try {
          return Double.parseDouble(parameter.substring(2).strip()) <= 0;
        } catch (NumberFormatException e) {
          return false;
        }
      }
    }
    return false;
  }
}
