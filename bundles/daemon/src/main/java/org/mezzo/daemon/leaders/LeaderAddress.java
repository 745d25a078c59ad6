package org.mezzo.daemon.leaders;

import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.regex.Pattern;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.protocol.v1.MasterInfo;

/** Where a master says that it is. */
public final class LeaderAddress {
  private static final int MOST_PORT = 65_535;

  /** A host name or an address, which goes into headers and messages as it is. */
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._%:-]{1,253}|\\[[0-9A-Fa-f:.]+]");

  /** What needs no name service. */
  private static final Pattern LITERAL =
      Pattern.compile("(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\\.(?!$)|$)){4}|.*:.*");

  private LeaderAddress() {}

  /** Its address; a name is not resolved, which could take a while. */
  public static InetSocketAddress of(MasterInfo master) {
    String host = host(master);
    return LITERAL.matcher(host).matches()
        ? new InetSocketAddress(host, port(master))
        : InetSocketAddress.createUnresolved(host, port(master));
  }

  private static String host(MasterInfo master) {
    if (master.getAddress().hasIp()) {
      return master.getAddress().getIp();
    }
    return master.getAddress().hasHostname()
        ? master.getAddress().getHostname()
        : master.getHostname();
  }

  private static int port(MasterInfo master) {
    return master.getAddress().hasPort() ? master.getAddress().getPort() : master.getPort();
  }

  /** Why nobody can go there, in one line for people; empty when one can. */
  static Optional<String> problem(MasterInfo master) {
    if (!master.isInitialized()) {
      return Optional.of("it lacks " + String.join(", ", master.findInitializationErrors()));
    }
    if (master.getSerializedSize() > MasterDetector.MOST_BYTES) {
      return Optional.of(
          "it has "
              + master.getSerializedSize()
              + " bytes, and may have "
              + MasterDetector.MOST_BYTES);
    }
    String host = host(master);
    if (!HOST.matcher(host).matches()) {
      return Optional.of("its address is " + (host.isEmpty() ? "missing" : "no host or address"));
    }
    if (master.hasHostname() && !HOST.matcher(master.getHostname()).matches()) {
      return Optional.of("its hostname is none");
    }
    if (master.getAddress().hasHostname()
        && !HOST.matcher(master.getAddress().getHostname()).matches()) {
      return Optional.of("the hostname of its address is none");
    }
    for (int port : new int[] {master.getPort(), port(master)}) {
      if (port < 1 || port > MOST_PORT) {
        return Optional.of("its port is " + port + ", and must be from 1 to " + MOST_PORT);
      }
    }
    return Optional.empty();
  }

  /** Whether both are the same master, as far as can be told: one of them may have no id. */
  static boolean isSame(MasterInfo one, MasterInfo other) {
    boolean sameId =
        one.getId().isEmpty() || other.getId().isEmpty() || one.getId().equals(other.getId());
    return sameId && host(one).equals(host(other)) && port(one) == port(other);
  }
}
