package org.mezzo.coordination.zookeeper;

import java.util.Optional;

/**
 * A parsed {@code zk://[user:password@]host:port[,host:port]/path}.
 *
 * @param credentials {@code user:password} of the digest scheme
 * @param path begins with a slash and does not end with one
 */
record ZooKeeperUrl(Optional<String> credentials, String servers, String path) {
  private static final String SCHEME = "zk://";

  static ZooKeeperUrl parse(String url) {
    if (!url.startsWith(SCHEME)) {
      throw malformed("it does not begin with zk://");
    }
    String rest = url.substring(SCHEME.length());
    int slash = rest.indexOf('/');
    String authority = slash < 0 ? rest : rest.substring(0, slash);
    String path = slash < 0 ? "" : rest.substring(slash);
    while (path.endsWith("/")) {
      path = path.substring(0, path.length() - 1);
    }
    if (path.isEmpty()) {
      throw malformed("the path is missing; give one below the root, such as /mezzo");
    }
    int at = authority.lastIndexOf('@');
    Optional<String> credentials =
        at < 0 ? Optional.empty() : Optional.of(authority.substring(0, at));
    if (credentials.isPresent() && credentials.get().indexOf(':') < 1) {
      throw malformed("the credentials are not of the form user:password");
    }
    String servers = authority.substring(at + 1);
    if (servers.isEmpty()) {
      throw malformed("it names no server");
    }
    return new ZooKeeperUrl(credentials, servers, path);
  }

  /** The URL itself is not quoted, because it may hold a password. */
  private static IllegalArgumentException malformed(String why) {
    return new IllegalArgumentException(
        "ZooKeeper URL must be zk://[user:password@]host:port[,host:port]/path, but " + why);
  }

  /** Without credentials, for messages. */
  @Override
  public String toString() {
    return SCHEME + servers + path;
  }
}
