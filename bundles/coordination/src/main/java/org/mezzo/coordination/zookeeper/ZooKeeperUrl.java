package org.mezzo.coordination.zookeeper;

import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.zookeeper.common.PathUtils;

/**
 * A parsed {@code zk://[user:password@]host:port[,host:port]/path}.
 *
 * @param credentials {@code user:password} of the digest scheme
 * @param path begins with a slash and does not end with one
 */
record ZooKeeperUrl(Optional<String> credentials, String servers, String path) {
  private static final String SCHEME = "zk://";
  private static final String RESERVED = "/zookeeper";
  private static final Pattern PORT = Pattern.compile(":[1-9][0-9]{0,4}");

  static ZooKeeperUrl parse(String url) {
    if (!url.startsWith(SCHEME)) {
      throw malformed("it does not begin with zk://");
    }
    String rest = url.substring(SCHEME.length());
    int slash = rest.indexOf('/');
    String authority = slash < 0 ? rest : rest.substring(0, slash);
    String path = slash < 0 ? "" : rest.substring(slash);
    // Cut off as operators write it; a second one would be a node without a name.
    if (path.endsWith("/")) {
      path = path.substring(0, path.length() - 1);
    }
    if (path.isEmpty() || path.equals("/")) {
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
    for (String server : servers.split(",", -1)) {
      if (!isServer(server)) {
        // With a slash in its password a URL ends up here: such are not quoted either.
        throw malformed(
            (path.contains("@") ? "a server" : "'" + server + "'")
                + " is no host:port; give for example zk1.example.com:2181");
      }
    }
    checkPath(path);
    return new ZooKeeperUrl(credentials, servers, path);
  }

  private static void checkPath(String path) {
    try {
      PathUtils.validatePath(path);
    } catch (IllegalArgumentException e) {
      throw malformed(
          "no ZooKeeper node can be called "
              + (path.contains("@") ? "like its path" : "'" + path + "'")
              + " ("
              + (path.contains("@") ? "an illegal name" : e.getMessage())
              + "); give a path of plain names, such as /mezzo");
    }
    if (path.equals(RESERVED) || path.startsWith(RESERVED + "/")) {
      throw malformed(
          "the path '" + path + "' is ZooKeeper's own; give another one, such as /mezzo");
    }
  }

  /** {@code host}, {@code host:port}, or an IPv6 address in brackets. */
  private static boolean isServer(String server) {
    int end = server.startsWith("[") ? server.indexOf(']') : server.indexOf(':') - 1;
    String port = end < 0 ? "" : server.substring(end + 1);
    return !server.isEmpty()
        && !server.startsWith(":")
        && server.chars().noneMatch(Character::isWhitespace)
        && (port.isEmpty()
            || PORT.matcher(port).matches() && Integer.parseInt(port.substring(1)) <= 65_535);
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
