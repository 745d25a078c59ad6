package org.mezzo.agent.registration;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.mezzo.coordination.Coordination;
import org.mezzo.flags.Passwords;
import org.mezzo.protocol.v1.MasterInfo;

/** Follows the leading master that {@code --master} tells of. */
public final class LeaderDetection implements AutoCloseable {
  private static final int DEFAULT_PORT = 5050;

  private final AutoCloseable open;

  /**
   * Begins to follow.
   *
   * @param master {@code zk://...}, {@code host:port}, or {@code file://} and a path whose file
   *     holds one of these
   * @param events where the listener is called
   * @param listener told the address of each new leader; empty when none is known
   * @throws IllegalArgumentException when {@code --master} cannot be read; the message says how
   */
  public LeaderDetection(
      String master,
      Coordination coordination,
      Duration sessionTimeout,
      Executor events,
      Consumer<Optional<InetSocketAddress>> listener) {
    String text = resolve(master);
    if (text.startsWith("zk://")) {
      Coordination.Session session;
      try {
        session = coordination.zooKeeper(text, sessionTimeout, events);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("--master: " + e.getMessage(), e);
      }
      session.detect(leader -> listener.accept(leader.map(LeaderDetection::address)));
      open = session;
    } else {
      InetSocketAddress address = address(text);
      events.execute(() -> listener.accept(Optional.of(address)));
      open = () -> {};
    }
  }

  private static String resolve(String master) {
    String text = master.trim();
    if (!text.startsWith("file://")) {
      return text;
    }
    Path file = Path.of(text.substring("file://".length()));
    try {
      return Files.readString(file).trim();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--master: cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** Reads {@code host:port}; the port may be left out. */
  static InetSocketAddress address(String text) {
    String host = text.startsWith("master@") ? text.substring("master@".length()) : text;
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
    if (host.isEmpty() || host.contains("/") || port < 1 || port > 65_535) {
      throw new IllegalArgumentException(
          "--master: '"
              + Passwords.masked(text)
              + "' is none of host:port, zk://host:port,.../path and file://path");
    }
    return new InetSocketAddress(host, port);
  }

  /** Where a master's info says it is. */
  public static InetSocketAddress address(MasterInfo leader) {
    String host =
        leader.getAddress().hasIp()
            ? leader.getAddress().getIp()
            : leader.getAddress().hasHostname()
                ? leader.getAddress().getHostname()
                : leader.getHostname();
    int port = leader.getAddress().hasPort() ? leader.getAddress().getPort() : leader.getPort();
    return new InetSocketAddress(host, port);
  }

  @Override
  public void close() {
    try {
      open.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
