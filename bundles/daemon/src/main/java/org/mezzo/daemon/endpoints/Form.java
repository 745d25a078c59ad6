package org.mezzo.daemon.endpoints;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.http.BodyTooLargeException;
import org.mezzo.http.HttpExchange;

/**
 * The form in the body of a request (rule 20), whatever its {@code Content-Type} says. Immutable.
 */
public final class Form {
  private final Map<String, String> fields;

  private Form(Map<String, String> fields) {
    this.fields = fields;
  }

  /**
   * Reads the form of a request.
   *
   * @return completes on a connector thread; fails with {@link Refused} when the body is too large
   *     or no form
   */
  public static CompletionStage<Form> read(HttpExchange exchange) {
    return exchange
        .body(CallEndpoint.DEFAULT_MAX_BODY_BYTES)
        .handle(
            (body, failure) -> {
              try {
                if (failure != null) {
                  throw refused(failure);
                }
                return parse(new String(body, StandardCharsets.UTF_8));
              } catch (Refused e) {
                throw new CompletionException(e);
              }
            });
  }

  private static Refused refused(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return new Refused(
        cause instanceof BodyTooLargeException ? 413 : 400, String.valueOf(cause.getMessage()));
  }

  /** Of a name that stands there twice the first value counts. */
  static Form parse(String text) throws Refused {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String field : text.split("&")) {
      int equals = field.indexOf('=');
      if (equals > 0) {
        fields.putIfAbsent(decode(field.substring(0, equals)), decode(field.substring(equals + 1)));
      }
    }
    return new Form(fields);
  }

  private static String decode(String text) throws Refused {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new Refused(400, "Unable to decode query string: " + e.getMessage());
    }
  }

  /** The value of a field; empty when it is not there. */
  public Optional<String> optional(String name) {
    return Optional.ofNullable(fields.get(name));
  }

  /** The fields whose names begin so, by the rest of their names. */
  public Map<String, String> below(String prefix) {
    Map<String, String> found = new LinkedHashMap<>();
    fields.forEach(
        (name, value) -> {
          if (name.startsWith(prefix)) {
            found.put(name.substring(prefix.length()), value);
          }
        });
    return found;
  }

  /** The value of a field that has to be there. */
  public String required(String name) throws Refused {
    String value = fields.get(name);
    if (value == null) {
      throw new Refused(400, "Missing '" + name + "' query parameter in the request body");
    }
    return value;
  }
}
