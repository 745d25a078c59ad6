package org.mezzo.deployment.bundles;

import java.time.Instant;
import java.util.List;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Journal;

/** Begins changes and has the last ones, those of earlier processes too. Thread-safe. */
final class History {
  /** Who asks when a jar in the folder is all that asks. */
  static final String FOLDER = "modules folder";

  /** Who asks for what was there when the host started. */
  static final String HOST = "host";

  /** Who asks when deployment acts of its own accord. */
  static final String SELF = "deployment";

  private final Journal journal;

  History(Journal journal) {
    this.journal = journal;
  }

  Transaction begin(Kind kind, String principal, String symbolicName, String from, String to) {
    Instant now = Instant.now();
    return new Transaction(
        journal, journal.begin(now, kind, principal, symbolicName, from, to), now);
  }

  /**
   * Begins what it takes to have a jar run in the place of what is installed, which may be null.
   */
  Transaction begin(String principal, ModuleJar jar, Installed old) {
    Kind kind =
        old == null
            ? Kind.INSTALL
            : old.bundle.getVersion().equals(jar.version()) ? Kind.UPDATE : Kind.SWAP;
    return begin(
        kind,
        principal,
        jar.symbolicName(),
        old == null ? "" : old.version(),
        jar.version().toString());
  }

  List<Action> list() {
    return journal.actions();
  }
}
