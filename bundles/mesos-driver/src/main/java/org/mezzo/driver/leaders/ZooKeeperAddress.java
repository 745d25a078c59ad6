package org.mezzo.driver.leaders;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** An ensemble, what is said to it to be let in, and a path in it. Immutable. */
public final class ZooKeeperAddress {
  private final String servers;
  private final String path;
  private final Optional<byte[]> digest;

  private ZooKeeperAddress(String servers, String path, Optional<byte[]> digest) {
    this.servers = servers;
    this.path = path;
    this.digest = digest;
  }

  /**
   * @param url {@code zk://[user:password@]host:port,.../path}
   * @throws IllegalArgumentException when it is none; the message does not have the password
   */
  public static ZooKeeperAddress of(String url) {
    String rest = url.substring("zk://".length());
    int at = rest.lastIndexOf('@');
    Optional<byte[]> digest =
        at < 0
            ? Optional.empty()
            : Optional.of(rest.substring(0, at).getBytes(StandardCharsets.UTF_8));
    String location = rest.substring(at + 1);
    int slash = location.indexOf('/');
    String servers = slash < 0 ? location : location.substring(0, slash);
    String path = slash < 0 ? "" : location.substring(slash);
    while (path.endsWith("/")) {
      path = path.substring(0, path.length() - 1);
    }
    if (servers.isEmpty() || path.isEmpty() || path.contains("//")) {
      throw new IllegalArgumentException(
          "'zk://"
              + location
              + "' names no place in ZooKeeper; give zk://host:port,host:port/path with the path"
              + " that the masters were started with");
    }
    return new ZooKeeperAddress(servers, path, digest);
  }

  /** {@code host:port,...}, as clients of ZooKeeper take it. */
  public String servers() {
    return servers;
  }

  /** Absolute, without a slash at its end, never empty. */
  public String path() {
    return path;
  }

  /** {@code user:password} of the digest scheme. */
  public Optional<byte[]> digest() {
    return digest;
  }

  @Override
  public String toString() {
    return "zk://" + servers + path;
  }
}
