package org.mezzo.http;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A whole answer.
 *
 * @param headers written as they are; Content-Length and Date are added
 */
public record HttpResponse(int status, Map<String, String> headers, byte[] body) {

  /** An answer without body. */
  public static HttpResponse status(int status) {
    return new HttpResponse(status, Map.of(), new byte[0]);
  }

  /** A plain text answer, the form of every error. */
  public static HttpResponse text(int status, String text) {
    return new HttpResponse(
        status,
        Map.of("Content-Type", "text/plain; charset=utf-8"),
        text.getBytes(StandardCharsets.UTF_8));
  }

  /** A JSON answer. */
  public static HttpResponse json(byte[] json) {
    return new HttpResponse(200, Map.of("Content-Type", "application/json"), json);
  }

  /** The same with one header more. */
  public HttpResponse with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new HttpResponse(status, more, body);
  }
}
