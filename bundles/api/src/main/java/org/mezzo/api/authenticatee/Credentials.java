package org.mezzo.api.authenticatee;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is shown to a master: header fields of the request that opens a link. Immutable; its text
 * form does not show the values.
 *
 * <p>The agent sends them when it can, and refuses them otherwise: no more than {@link
 * #MOST_FIELDS}, of together no more than {@link #MOST_BYTES}; names that are tokens of HTTP (RFC
 * 9110, 5.6.2), once each in whatever case, and none of those by which HTTP itself works, such as
 * {@code Host} or {@code Content-Length}; values of visible characters of ASCII, and blanks between
 * them.
 */
public final class Credentials {
  /** So many fields are sent. */
  public static final int MOST_FIELDS = 16;

  /** Bytes of all names and values together. */
  public static final int MOST_BYTES = 16_384;

  /** Nothing is shown. */
  public static final Credentials NONE = new Credentials(Map.of());

  private final Map<String, String> fields;

  private Credentials(Map<String, String> fields) {
    this.fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  /** Those fields, by name. */
  public static Credentials of(Map<String, String> fields) {
    return new Credentials(fields);
  }

  /** The field {@code Authorization}, for example {@code Bearer} and a token (RFC 6750). */
  public static Credentials authorization(String value) {
    return of(Map.of("Authorization", value));
  }

  /**
   * HTTP basic authentication (RFC 7617), in UTF-8.
   *
   * @throws IllegalArgumentException when the principal has a colon, which the scheme has no room
   *     for
   */
  public static Credentials basic(String principal, String secret) {
    if (principal.indexOf(':') >= 0) {
      throw new IllegalArgumentException("the principal has a ':', which HTTP cannot send");
    }
    byte[] pair = (principal + ":" + secret).getBytes(StandardCharsets.UTF_8);
    return authorization("Basic " + Base64.getEncoder().encodeToString(pair));
  }

  /** By name. */
  public Map<String, String> fields() {
    return fields;
  }

  @Override
  public String toString() {
    return "Credentials" + fields.keySet();
  }
}
