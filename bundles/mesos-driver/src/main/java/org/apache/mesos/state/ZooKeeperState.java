package org.apache.mesos.state;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.mezzo.driver.entries.ZooKeeperEntries;

/**
 * A state in ZooKeeper, in the nodes and the form that libmesos uses, so that either finds what the
 * other has stored. While ZooKeeper is away futures wait for it. A variable may take a little less
 * than 1 MB.
 */
public class ZooKeeperState extends AbstractState {
  /** As below, with nodes that everybody may change. */
  public ZooKeeperState(String servers, long timeout, TimeUnit unit, String znode) {
    super(new ZooKeeperEntries(servers, milliseconds(timeout, unit), znode, Optional.empty()));
  }

  /**
   * One that gets its connection when ZooKeeper is there.
   *
   * @param servers {@code host:port,...}
   * @param timeout of the session with ZooKeeper
   * @param znode an absolute path, which is made when it is not there
   * @param scheme {@code digest}
   * @param credentials {@code user:password}; they alone may change the nodes that are made
   * @throws IllegalArgumentException when one of these is something else
   */
  public ZooKeeperState(
      String servers,
      long timeout,
      TimeUnit unit,
      String znode,
      String scheme,
      byte[] credentials) {
    super(
        new ZooKeeperEntries(
            servers, milliseconds(timeout, unit), znode, Optional.of(digest(scheme, credentials))));
  }

  private static int milliseconds(long timeout, TimeUnit unit) {
    return (int) Math.max(1, Math.min(Integer.MAX_VALUE, unit.toMillis(timeout)));
  }

  private static byte[] digest(String scheme, byte[] credentials) {
    if (!"digest".equals(scheme)) {
      throw new IllegalArgumentException(
          "the scheme '" + scheme + "' is not supported; give 'digest' with user:password");
    }
    return credentials;
  }
}
