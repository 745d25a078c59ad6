package org.apache.mesos.state;

import java.util.concurrent.TimeUnit;
import org.mezzo.driver.entries.ZooKeeperEntries;

/** Needs the replicated log of libmesos, so that none can be made. */
public class LogState extends AbstractState {
  /**
   * @throws UnsupportedOperationException always; the message names the remedy
   */
  public LogState(
      String servers, long timeout, TimeUnit unit, String znode, long quorum, String path) {
    super(none(path));
  }

  /**
   * @throws UnsupportedOperationException always; the message names the remedy
   */
  public LogState(
      String servers,
      long timeout,
      TimeUnit unit,
      String znode,
      long quorum,
      String path,
      int diffsBetweenSnapshots) {
    super(none(path));
  }

  private static ZooKeeperEntries none(String path) {
    throw new UnsupportedOperationException(
        "LogState needs the replicated log of libmesos in '"
            + path
            + "', which this driver does without; have the framework keep its state in ZooKeeper"
            + " (org.apache.mesos.state.ZooKeeperState)");
  }
}
