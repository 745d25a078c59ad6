package org.mezzo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an ordinary user goes without, and what root must not go without. */
final class Privileges {
  private static final Logger LOG = LoggerFactory.getLogger("mezzo");

  private Privileges() {}

  /**
   * One line when this process is not root's, or when it is and the kernel is not set up for it.
   */
  static void report() {
    if (!"root".equals(System.getProperty("user.name"))) {
      LOG.info(
          "Running as {}, not as root: tasks run as this user, and isolators that need root are"
              + " off",
          System.getProperty("user.name"));
    } else if (!hardLinksAreProtected()) {
      LOG.warn(
          "fs.protected_hardlinks is 0: tasks can put names of files that are not theirs into their"
              + " sandboxes, where this process reads them as root. Run 'sysctl -w"
              + " fs.protected_hardlinks=1'");
    }
  }

  private static boolean hardLinksAreProtected() {
    try {
      return !Files.readString(Path.of("/proc/sys/fs/protected_hardlinks")).strip().equals("0");
    } catch (IOException e) {
      // A system that does not tell is not one to warn about.
      return true;
    }
  }
}
