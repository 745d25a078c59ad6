package org.mezzo.coordination;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.mezzo.coordination.zookeeper.ZooKeeperCoordination;

/**
 * What {@code --master} of an agent says: where the master is, or who knows where it is.
 *
 * @param zooKeeper a ZooKeeper URL as {@link Coordination#zooKeeper} takes it; empty where there is
 *     one master
 * @param host of the one master, a name or an address; empty where there is a URL
 * @param port of the one master
 */
public record MasterLocation(Optional<String> zooKeeper, String host, int port) {
  private static final int DEFAULT_PORT = 5050;
  private static final int MOST_PORT = 65_535;
  private static final String FILE = "file://";
  private static final String ZOOKEEPER = "zk://";

  /**
   * Reads it.
   *
   * @param text {@code zk://...}, {@code host:port}, where the port may be left out, or {@code
   *     file://} and a path whose file holds one of these
   * @throws IllegalArgumentException when it cannot be read; the message says how, and has no
   *     password
   */
  public static MasterLocation parse(String text) {
    String resolved = resolve(text.strip());
    if (resolved.startsWith(ZOOKEEPER)) {
      ZooKeeperCoordination.check(resolved);
      return new MasterLocation(Optional.of(resolved), "", 0);
    }
    String host =
        resolved.startsWith("master@") ? resolved.substring("master@".length()) : resolved;
    int colon = host.lastIndexOf(':');
    int port = DEFAULT_PORT;
    if (colon > host.lastIndexOf(']')) {
      try {
        port = Integer.parseInt(host.substring(colon + 1));
      } catch (NumberFormatException e) {
        port = -1;
      }
      host = host.substring(0, colon);
    }
    if (host.isEmpty() || host.contains("/") || port < 1 || port > MOST_PORT) {
      // What has an @ may be a URL with a password.
      throw new IllegalArgumentException(
          (resolved.indexOf('@') < 0 ? "'" + resolved + "'" : "it")
              + " is none of host:port, zk://host:port,.../path and file://path");
    }
    return new MasterLocation(Optional.empty(), host, port);
  }

  private static String resolve(String text) {
    if (!text.startsWith(FILE)) {
      return text;
    }
    Path file = Path.of(text.substring(FILE.length()));
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
