package org.mezzo.api.authenticatee;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

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

  /** RFC 9110, 5.6.2. */
  private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

  /** Those by which HTTP and the link work (RFC 9113, 8.2.2). */
  private static final Set<String> RESERVED =
      Set.of(
          "connection",
          "content-encoding",
          "content-length",
          "content-type",
          "expect",
          "host",
          "http2-settings",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

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

  /**
   * Why they cannot be sent, for people, behind the name of who answers them; empty where they can.
   * Without what they are: also a name may be a secret by mistake.
   */
  public Optional<String> problem() {
    if (fields.size() > MOST_FIELDS) {
      return Optional.of("answers " + fields.size() + " header fields, and may " + MOST_FIELDS);
    }
    long bytes = 0;
    int number = 0;
    Set<String> names = new HashSet<>();
    for (Map.Entry<String, String> field : fields.entrySet()) {
      number++;
      String name = field.getKey() == null ? "" : field.getKey();
      String value = field.getValue() == null ? "" : field.getValue();
      String lower = name.toLowerCase(Locale.ROOT);
      bytes += name.length() + value.length();
      if (!TOKEN.matcher(name).matches()) {
        return Optional.of("answers header field " + number + " with a name that is none in HTTP");
      }
      if (RESERVED.contains(lower)) {
        return Optional.of("answers the header field '" + lower + "', which is HTTP's own");
      }
      if (!names.add(lower)) {
        return Optional.of("answers header field " + number + " with the name of one before it");
      }
      if (!isValue(value)) {
        return Optional.of(
            "answers header field "
                + number
                + " with a value that is empty or has other than visible characters of ASCII, and"
                + " blanks between them");
      }
    }
    return bytes > MOST_BYTES
        ? Optional.of("answers header fields of " + bytes + " bytes, and may " + MOST_BYTES)
        : Optional.empty();
  }

  private static boolean isValue(String value) {
    return !value.isEmpty()
        && value.charAt(0) != ' '
        && value.charAt(value.length() - 1) != ' '
        && value.chars().allMatch(each -> each >= ' ' && each <= '~');
  }

  @Override
  public String toString() {
    return "Credentials" + fields.keySet();
  }
}
