package org.mezzo.client;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.mezzo.protocol.v1.MasterInfo;

/** Knows where masters may be; whether one leads is found out by asking it. */
@FunctionalInterface
public interface LeaderLocator {

  /**
   * Addresses to try in this order, such as {@code http://host:5050}; asked before every
   * connection, so that it may change. Empty when nothing is known now.
   */
  List<URI> candidates();

  /**
   * Fixed addresses.
   *
   * @param masters {@code host:port}, {@code http://host:port} or {@code https://host:port}, or
   *     several of them separated by commas; a missing port is 5050
   * @throws IllegalArgumentException when one of them is malformed
   */
  static LeaderLocator of(String masters) {
    List<URI> all = new ArrayList<>();
    for (String master : masters.split(",")) {
      String text = master.strip();
      if (text.isEmpty()) {
        continue;
      }
      String url = text.contains("://") ? text : "http://" + text;
      URI uri;
      try {
        uri = URI.create(url);
      } catch (IllegalArgumentException e) {
        throw malformed(text, e);
      }
      boolean known = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (!known || uri.getHost() == null) {
        throw malformed(text, null);
      }
      int port = uri.getPort() < 0 ? 5050 : uri.getPort();
      all.add(URI.create(uri.getScheme() + "://" + uri.getHost() + ":" + port));
    }
    if (all.isEmpty()) {
      throw malformed(masters, null);
    }
    List<URI> fixed = List.copyOf(all);
    return () -> fixed;
  }

  /** What a detector knows of the leader at present. */
  static LeaderLocator of(Supplier<Optional<MasterInfo>> detector) {
    return () ->
        detector.get().stream()
            .map(
                info -> {
                  String host =
                      info.getAddress().hasIp() ? info.getAddress().getIp() : info.getHostname();
                  int port =
                      info.getAddress().hasPort() ? info.getAddress().getPort() : info.getPort();
                  String bracketed = host.indexOf(':') < 0 ? host : "[" + host + "]";
                  return URI.create("http://" + bracketed + ":" + port);
                })
            .toList();
  }

  private static IllegalArgumentException malformed(String text, Throwable cause) {
    return new IllegalArgumentException(
        "Master must be host:port or http://host:port, but is '" + text + "'", cause);
  }
}
