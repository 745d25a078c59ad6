package org.mezzo.api.fetcher;

import java.net.IDN;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * URIs as people and servers write them. What a {@link URI} refuses and a browser or curl passes on
 * (blanks, braces, bars, a lone percent sign, any letter of Unicode) is percent-encoded; a host may
 * have an underscore, which a {@link URI} holds but gives only as part of its authority: ask {@link
 * #host}, {@link #port} and {@link #userInfo} here. What would change where a request goes or what
 * it says is refused all the same: control characters, and anything else than a host and a port
 * behind the user.
 *
 * <p>Safe for any thread.
 */
public final class Uris {
  private static final Pattern ABSOLUTE =
      Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", Pattern.DOTALL);
  private static final Pattern SCHEME =
      Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:.*", Pattern.DOTALL);
  private static final Pattern AUTHORITY =
      Pattern.compile("(?:([^@]*)@)?(\\[[0-9A-Fa-f:.]+\\]|[^@:\\[\\]]*)(?::([0-9]{0,5}))?");
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._-]+|\\[.*\\]");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._~!$&()*+,;=:@%-]*");
  private static final Set<String> WEB = Set.of("http", "https", "ftp", "ftps");
  private static final String UNRESERVED = "-._~!$&'()*+,;=:@";
  private static final int HIGHEST_PORT = 65_535;

  private Uris() {}

  /**
   * The URI that a text means.
   *
   * @param text {@code scheme://...}
   * @throws URISyntaxException when it has no scheme, no host where one is needed, a port that is
   *     none, more than one {@code @} before its path, or a control character; neither message nor
   *     input of the exception tell user, password or query
   */
  public static URI parse(String text) throws URISyntaxException {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isISOControl(text.charAt(i))) {
        throw malformed(text, "it has a control character at index " + i);
      }
    }
    Matcher parts = ABSOLUTE.matcher(text);
    if (!parts.matches()) {
      throw malformed(text, "it has no scheme; write for example http://host/path");
    }
    String scheme = parts.group(1);
    String authority = authority(text, scheme, parts.group(2));
    String rest = parts.group(3);
    String fragment = "";
    int hash = rest.indexOf('#');
    if (hash >= 0) {
      fragment = "#" + encode(rest.substring(hash + 1), "/?");
      rest = rest.substring(0, hash);
    }
    int question = rest.indexOf('?');
    String query = question < 0 ? "" : "?" + encode(rest.substring(question + 1), "/?");
    String path = encode(question < 0 ? rest : rest.substring(0, question), "/");
    if (path.isEmpty()) {
      path = "/";
    }
    try {
      return new URI(scheme + "://" + authority + path + query + fragment);
    } catch (URISyntaxException e) {
      throw malformed(text, e.getReason());
    }
  }

  /**
   * The URI that a reference means beside another one, as of a {@code Location} header; blanks
   * around it do not count (RFC 3986, 5.2).
   *
   * @throws URISyntaxException as {@link #parse} does
   */
  public static URI resolve(URI base, String reference) throws URISyntaxException {
    String text = reference.strip();
    String start = base.getScheme() + "://" + base.getRawAuthority();
    String path = base.getRawPath();
    if (ABSOLUTE.matcher(text).matches()) {
      return parse(text);
    } else if (SCHEME.matcher(text).matches()) {
      throw malformed(text, "behind its scheme is no '//'");
    } else if (text.startsWith("//")) {
      return parse(base.getScheme() + ":" + text);
    } else if (text.isEmpty() || text.startsWith("#")) {
      String query = base.getRawQuery() == null ? "" : "?" + base.getRawQuery();
      return parse(start + path + query + text);
    } else if (text.startsWith("?")) {
      return parse(start + path + text);
    }
    int end = 0;
    while (end < text.length() && "?#".indexOf(text.charAt(end)) < 0) {
      end++;
    }
    String merged =
        (text.startsWith("/") ? "" : path.substring(0, path.lastIndexOf('/') + 1))
            + text.substring(0, end);
    return parse(start + withoutDots(merged) + text.substring(end));
  }

  /** The host, an IPv6 address in brackets; empty when there is none. */
  public static Optional<String> host(URI uri) {
    return authorityPart(uri, 2).filter(host -> !host.isEmpty());
  }

  /** The port, or -1 when none is given. */
  public static int port(URI uri) {
    return authorityPart(uri, 3).filter(port -> !port.isEmpty()).map(Integer::parseInt).orElse(-1);
  }

  /** User and password, percent-encoded as in the URI. */
  public static Optional<String> userInfo(URI uri) {
    return authorityPart(uri, 1);
  }

  /**
   * A URI as it may be shown: without user and password, and with dots for a query, since both may
   * be secrets. Paths and URIs of local files are shown as they are.
   *
   * @param text a URI, well-formed or not
   */
  public static String shown(String text) {
    Matcher parts = ABSOLUTE.matcher(text);
    if (!parts.matches() || parts.group(1).equalsIgnoreCase("file")) {
      return text;
    }
    Matcher authority = AUTHORITY.matcher(parts.group(2));
    if (!authority.matches()) {
      // What looks like the path may belong to a password.
      return parts.group(1) + "://...";
    }
    String port = authority.group(3) == null ? "" : ":" + authority.group(3);
    String path = parts.group(3);
    int end = 0;
    while (end < path.length() && "?#".indexOf(path.charAt(end)) < 0) {
      end++;
    }
    return parts.group(1)
        + "://"
        + authority.group(2)
        + port
        + path.substring(0, end)
        + (path.indexOf('?') >= 0 ? "?..." : "");
  }

  /** As {@link #shown(String)}. */
  public static String shown(URI uri) {
    return shown(uri.toString());
  }

  /**
   * What of a URI must not be shown, as it is written there: user and password, and the query.
   * Whoever passes on the words of others looks for these.
   *
   * @param text a URI, well-formed or not
   */
  public static List<String> secrets(String text) {
    List<String> secrets = new ArrayList<>();
    Matcher parts = ABSOLUTE.matcher(text);
    if (!parts.matches() || parts.group(1).equalsIgnoreCase("file")) {
      return secrets;
    }
    int at = parts.group(2).lastIndexOf('@');
    if (at > 0) {
      secrets.add(parts.group(2).substring(0, at));
    }
    int question = parts.group(3).indexOf('?');
    if (question >= 0 && question + 1 < parts.group(3).length()) {
      secrets.add(parts.group(3).substring(question + 1));
    }
    return secrets;
  }

  private static Optional<String> authorityPart(URI uri, int group) {
    if (uri.getRawAuthority() == null) {
      return Optional.empty();
    }
    Matcher authority = AUTHORITY.matcher(uri.getRawAuthority());
    return authority.matches() ? Optional.ofNullable(authority.group(group)) : Optional.empty();
  }

  private static String authority(String text, String scheme, String authority)
      throws URISyntaxException {
    boolean web = WEB.contains(scheme.toLowerCase(Locale.ROOT));
    if (!web && NAME.matcher(authority).matches()) {
      // What a bucket or a name service is called is for its own fetcher to judge.
      return authority;
    }
    if (authority.indexOf('@') != authority.lastIndexOf('@')) {
      throw malformed(text, "it has more than one '@' before its path; write %40 in a password");
    }
    Matcher parts = AUTHORITY.matcher(authority);
    // Some take a backslash for the end of the host, others for a part of the user.
    if (!parts.matches() || authority.indexOf('\\') >= 0) {
      throw malformed(text, "before its path must be a host, perhaps with a port");
    }
    String host = parts.group(2);
    if (!host.chars().allMatch(c -> c < 0x80)) {
      try {
        host = IDN.toASCII(host);
      } catch (IllegalArgumentException e) {
        throw malformed(text, "its host is no name of the DNS");
      }
    }
    if (host.isEmpty() ? web : !HOST.matcher(host).matches()) {
      throw malformed(text, host.isEmpty() ? "it has no host" : "its host is no name or address");
    }
    String port = parts.group(3) == null ? "" : parts.group(3);
    if (!port.isEmpty() && Integer.parseInt(port) > HIGHEST_PORT) {
      throw malformed(text, "its port is above " + HIGHEST_PORT);
    }
    return (parts.group(1) == null ? "" : encode(parts.group(1), "") + "@")
        + host
        + (port.isEmpty() ? "" : ":" + port);
  }

  /** Encodes all but what may stand as it is; sequences that are encoded stay. */
  private static String encode(String text, String also) {
    StringBuilder encoded = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      int length = Character.charCount(c);
      if (c < 0x80 && (Character.isLetterOrDigit(c) || (UNRESERVED + also).indexOf(c) >= 0)
          || c == '%' && hexadecimal(text, i + 1) && hexadecimal(text, i + 2)) {
        encoded.append((char) c);
      } else {
        for (byte b : text.substring(i, i + length).getBytes(StandardCharsets.UTF_8)) {
          encoded.append(String.format(Locale.ROOT, "%%%02X", b & 0xff));
        }
      }
      i += length;
    }
    return encoded.toString();
  }

  private static boolean hexadecimal(String text, int index) {
    return index < text.length() && "0123456789abcdefABCDEF".indexOf(text.charAt(index)) >= 0;
  }

  private static String withoutDots(String path) {
    Deque<String> kept = new ArrayDeque<>();
    String[] segments = path.split("/", -1);
    for (int i = 1; i < segments.length; i++) {
      String segment = segments[i];
      boolean dots = segment.equals(".") || segment.equals("..");
      if (segment.equals("..")) {
        kept.pollLast();
      }
      if (!dots) {
        kept.addLast(segment);
      } else if (i == segments.length - 1) {
        kept.addLast("");
      }
    }
    return "/" + String.join("/", kept);
  }

  private static URISyntaxException malformed(String text, String reason) {
    return new URISyntaxException(shown(text), reason);
  }
}
