package org.mezzo.cli;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a process without a locale that knows UTF-8 goes without. */
final class Encoding {
  private static final Logger LOG = LoggerFactory.getLogger("mezzo");

  private Encoding() {}

  /** One line when names of files cannot hold every character. */
  static void report() {
    String names = System.getProperty("sun.jnu.encoding", "UTF-8");
    if (!names.equalsIgnoreCase("UTF-8")) {
      LOG.warn(
          "Names of files are written in {}, because there is no UTF-8 locale: tasks whose id has"
              + " other than ASCII characters fail, and such files in sandboxes cannot be read."
              + " Have LC_ALL name a UTF-8 locale that \"locale -a\" lists, or make one (localedef"
              + " -i C -f UTF-8 C.UTF-8)",
          names);
    }
  }
}
