package org.mezzo.checkers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where a page is.
 *
 * @param secure whether by https
 * @param host a name, an address, or an IPv6 address in brackets
 * @param port as it was given
 * @param path and what follows it, as the framework or a server wrote it
 */
record Target(boolean secure, String host, int port, String path) {
  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

  /** Its address, where no name service has to be asked. */
  Optional<InetAddress> address() throws UnknownHostException {
    if (host.equalsIgnoreCase("localhost")) {
      return Optional.of(Attempt.loopback(false));
    }
    return host.startsWith("[") || IPV4.matcher(host).matches()
        ? Optional.of(InetAddress.getByName(host))
        : Optional.empty();
  }

  /** Where a {@code Location} header leads from here. */
  Target redirected(String location) throws IOException {
    try {
      URI here = URI.create((secure ? "https" : "http") + "://" + host + ":" + port + line());
      URI there = here.resolve(new URI(encoded(location)));
      String scheme = String.valueOf(there.getScheme()).toLowerCase(Locale.ROOT);
      if (there.getHost() == null || !(scheme.equals("http") || scheme.equals("https"))) {
        throw new IOException("a redirect leads to '" + location + "', which is not http or https");
      }
      boolean https = scheme.equals("https");
      String query = there.getRawQuery() == null ? "" : "?" + there.getRawQuery();
      return new Target(
          https,
          there.getHost(),
          there.getPort() < 0 ? (https ? 443 : 80) : there.getPort(),
          there.getRawPath() + query);
    } catch (URISyntaxException | IllegalArgumentException e) {
      throw new IOException("a redirect leads to '" + location + "', which cannot be read", e);
    }
  }

  /** The request line and headers; every byte is ASCII. */
  String request() {
    return "GET "
        + line()
        + " HTTP/1.1\r\nHost: "
        + host
        + ":"
        + port
        + "\r\nUser-Agent: Mezzo-Check\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  }

  private String line() {
    int fragment = path.indexOf('#');
    String line = encoded(fragment < 0 ? path : path.substring(0, fragment));
    return line.startsWith("/") ? line : "/" + line;
  }

  /** With what may not stand in a request line in its encoded form; the rest is left as it is. */
  private static String encoded(String text) {
    StringBuilder encoded = new StringBuilder(text.length());
    for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
      if (each <= ' ' || each == 0x7f) {
        encoded.append(String.format("%%%02X", each & 0xff));
      } else {
        encoded.append((char) each);
      }
    }
    return encoded.toString();
  }
}
