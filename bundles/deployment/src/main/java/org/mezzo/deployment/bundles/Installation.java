package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a bundle that was not there before comes to be. */
final class Installation {
  private static final Logger LOG = LoggerFactory.getLogger(Installation.class);

  private final ModuleBundles bundles;
  private final Probation probation;
  private final Uses uses;
  private final ModuleLeases leases;
  private final Copies copies;
  private final Ledger ledger;
  private final History history;

  Installation(
      ModuleBundles bundles,
      Probation probation,
      Uses uses,
      ModuleLeases leases,
      Copies copies,
      Ledger ledger,
      History history) {
    this.bundles = bundles;
    this.probation = probation;
    this.uses = uses;
    this.leases = leases;
    this.copies = copies;
    this.ledger = ledger;
    this.history = history;
  }

  Action install(Path content, ModuleJar jar, boolean inFolder)
      throws IOException, BundleException {
    Instant begin = Instant.now();
    Installed entry = new Installed(bundles.install(content, jar), jar, inFolder);
    ledger.put(entry);
    try {
      bundles.start(entry.bundle);
      probation.await(entry.bundle, Set.of()).ifPresentOrElse(entry::failed, entry::active);
    } catch (BundleException e) {
      entry.notStarted(bundles.notStarted(entry.bundle, e));
    }
    copies.keep(entry, content);
    return installed(
        begin,
        entry,
        "installed and started",
        uses.gap(entry.bundle.getBundleId(), leases.leases()));
  }

  /** Installs what the folder holds when the host starts; no daemon runs yet that could use it. */
  void installAll(Collection<ModuleJar> jars) {
    List<Installed> fresh = new ArrayList<>();
    for (ModuleJar jar : jars) {
      try {
        bundles.checkNotCore(jar);
        Installed entry = new Installed(bundles.install(jar.path(), jar), jar, true);
        ledger.put(entry);
        fresh.add(entry);
      } catch (IOException | BundleException | RuntimeException e) {
        ledger.refuse(jar, Reasons.plain(e));
        history.record(
            Instant.now(),
            Kind.INSTALL,
            jar.symbolicName(),
            "",
            jar.version().toString(),
            false,
            jar.fileName() + " was refused: " + Reasons.plain(e),
            Duration.ZERO);
      }
    }
    bundles.resolve(fresh.stream().map(entry -> entry.bundle).toList());
    for (Installed entry : fresh) {
      Instant begin = Instant.now();
      start(entry);
      installed(begin, entry, "installed with the host", Duration.ZERO);
    }
  }

  /** Starts what could not be resolved, now that something else was installed. */
  void retryUnresolved() {
    for (Installed entry : ledger.installed()) {
      if (entry.state.equals("unresolved") && start(entry)) {
        LOG.info("{} can be resolved now and was started", Reasons.name(entry.bundle));
      }
    }
  }

  private boolean start(Installed entry) {
    try {
      bundles.start(entry.bundle);
      entry.active();
      return true;
    } catch (BundleException e) {
      entry.notStarted(bundles.notStarted(entry.bundle, e));
      return false;
    }
  }

  private Action installed(Instant begin, Installed entry, String outcome, Duration gap) {
    boolean succeeded = entry.problem.isEmpty();
    return history.record(
        begin,
        Kind.INSTALL,
        entry.jar.symbolicName(),
        "",
        entry.jar.version().toString(),
        succeeded,
        succeeded ? outcome : entry.problem,
        gap);
  }
}
