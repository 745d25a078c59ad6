package org.mezzo.cli;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an ordinary user goes without. */
final class Privileges {
  private static final Logger LOG = LoggerFactory.getLogger("mezzo");

  private Privileges() {}

  /** One line when this process is not root's. */
  static void report() {
    if (!"root".equals(System.getProperty("user.name"))) {
      LOG.info(
          "Running as {}, not as root: tasks run as this user, and isolators that need root are"
              + " off",
          System.getProperty("user.name"));
    }
  }
}
