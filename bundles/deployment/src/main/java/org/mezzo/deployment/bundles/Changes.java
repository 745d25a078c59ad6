package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.folder.ModuleJar;
import org.osgi.framework.BundleException;

/** Changes of what is installed, each in the way that it takes. */
final class Changes {
  private final ModuleBundles bundles;
  private final Installation installation;
  private final RollingSwap rollingSwap;
  private final InPlaceUpdate inPlaceUpdate;
  private final Ledger ledger;
  private final History history;

  Changes(
      ModuleBundles bundles,
      Installation installation,
      RollingSwap rollingSwap,
      InPlaceUpdate inPlaceUpdate,
      Ledger ledger,
      History history) {
    this.bundles = bundles;
    this.installation = installation;
    this.rollingSwap = rollingSwap;
    this.inPlaceUpdate = inPlaceUpdate;
    this.ledger = ledger;
    this.history = history;
  }

  /** Installs, swaps or updates, whichever it takes; {@code content} holds the jar's bytes. */
  Action deploy(Path content, ModuleJar jar, boolean inFolder) {
    Installed old = ledger.installed(jar.symbolicName());
    Action action;
    try {
      bundles.checkNotCore(jar);
      if (old == null) {
        action = installation.install(content, jar, inFolder);
      } else if (old.bundle.getVersion().equals(jar.version())) {
        action = inPlaceUpdate.update(content, jar, old, inFolder);
      } else {
        action = rollingSwap.swap(content, jar, old, inFolder);
      }
    } catch (IOException | BundleException | RuntimeException e) {
      // Whatever one jar provokes is said of that jar, and the others are followed all the same.
      String problem = Reasons.plain(e);
      ledger.refuse(jar, problem);
      action =
          history.record(
              Instant.now(),
              old == null ? Kind.INSTALL : Kind.SWAP,
              jar.symbolicName(),
              old == null ? "" : old.version(),
              jar.version().toString(),
              false,
              problem + (old == null ? "" : "; what is installed stays"),
              Duration.ZERO);
    }
    if (action.succeeded()) {
      ledger.accepted(jar);
      installation.retryUnresolved();
    }
    ledger.publish();
    return action;
  }

  Action remove(Installed entry, String why) {
    Instant begin = Instant.now();
    String name = entry.jar.symbolicName();
    String version = entry.version();
    String outcome = why;
    boolean succeeded = true;
    try {
      bundles.retire(entry.bundle);
      ledger.remove(entry);
      Copies.discard(entry.kept);
    } catch (BundleException e) {
      succeeded = false;
      outcome = "it cannot be removed: " + Reasons.plain(e);
      entry.failed(outcome);
    }
    return history.record(
        begin, Kind.UNINSTALL, name, version, "", succeeded, outcome, Duration.ZERO);
  }
}
