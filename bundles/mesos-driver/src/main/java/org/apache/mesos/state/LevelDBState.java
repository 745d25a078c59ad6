package org.apache.mesos.state;

import org.mezzo.driver.entries.ZooKeeperEntries;

/** Needs libmesos, so that none can be made. */
public class LevelDBState extends AbstractState {
  /**
   * @throws UnsupportedOperationException always; the message names the remedy
   */
  public LevelDBState(String path) {
    super(none(path));
  }

  private static ZooKeeperEntries none(String path) {
    throw new UnsupportedOperationException(
        "LevelDBState needs libmesos to read '"
            + path
            + "', which this driver does without; have the framework keep its state in ZooKeeper"
            + " (org.apache.mesos.state.ZooKeeperState)");
  }
}
