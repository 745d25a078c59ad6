package org.mezzo.daemon.configuration;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;

/**
 * Where a daemon listens and what it tells others about that. Immutable.
 *
 * @param ip {@code --ip}
 * @param port {@code --port}; 0 for any free one
 * @param advertisedIp {@code --advertise_ip}
 * @param advertisedPort {@code --advertise_port}
 * @param hostname {@code --hostname}
 * @param hostnameLookup {@code --hostname_lookup}: without a name given, ask for that of the
 *     address
 */
public record ListenFlags(
    InetAddress ip,
    int port,
    Optional<InetAddress> advertisedIp,
    Optional<Integer> advertisedPort,
    Optional<String> hostname,
    boolean hostnameLookup) {
  private static final int LAST_PORT = 65_535;

  /** What no name looks like: numbers with dots, or anything with colons. */
  private static final Pattern DIGITS = Pattern.compile("[0-9.]+|[^/]*:[^/]*");

  /**
   * What others are told.
   *
   * @param ip in digits
   * @param hostname the ip where there is no name
   */
  public record Advertised(InetAddress address, String ip, int port, String hostname) {}

  static ListenFlags of(Flags flags) throws FlagException {
    return new ListenFlags(
        FlagTexts.read(flags, "ip", ListenFlags::address).orElse(InetAddress.getLoopbackAddress()),
        (int) flags.integer("port"),
        FlagTexts.read(flags, "advertise_ip", ListenFlags::digits),
        FlagTexts.read(flags, "advertise_port", ListenFlags::port),
        flags.text("hostname"),
        flags.bool("hostname_lookup"));
  }

  private static InetAddress address(String text) throws IOException {
    try {
      return InetAddress.getByName(text.strip());
    } catch (UnknownHostException e) {
      throw new IOException("'" + text + "' is no address: write one as 10.0.0.1", e);
    }
  }

  /** An address that others are told: a name could mean another one to them, or another day. */
  private static InetAddress digits(String text) throws IOException {
    if (!DIGITS.matcher(text.strip()).matches()) {
      throw new IOException("'" + text + "' is no address in digits: write one as 10.0.0.1");
    }
    return address(text);
  }

  private static int port(String text) throws IOException {
    try {
      int port = Integer.parseInt(text.strip());
      if (port > 0 && port <= LAST_PORT) {
        return port;
      }
    } catch (NumberFormatException e) {
      throw new IOException("'" + text + "' is no port: write a number", e);
    }
    throw new IOException(text + " is not between 1 and " + LAST_PORT);
  }

  /**
   * What others are told once it listens; may ask for the address's name and wait for the answer.
   *
   * @throws UnknownHostException when it listens everywhere and the machine does not know its own
   *     address
   */
  public Advertised advertised(InetSocketAddress bound) throws UnknownHostException {
    InetAddress address =
        advertisedIp.isPresent()
            ? advertisedIp.get()
            : bound.getAddress().isAnyLocalAddress()
                ? InetAddress.getLocalHost()
                : bound.getAddress();
    String ip = address.getHostAddress();
    return new Advertised(
        address,
        ip,
        advertisedPort.orElse(bound.getPort()),
        hostname.orElseGet(() -> hostnameLookup ? name(address) : ip));
  }

  private static String name(InetAddress address) {
    return address.isLoopbackAddress() ? "localhost" : address.getCanonicalHostName();
  }
}
