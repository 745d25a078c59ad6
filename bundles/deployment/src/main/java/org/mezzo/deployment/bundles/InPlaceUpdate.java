package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/**
 * How a jar of the same version replaces what runs: the bundle is stopped in between, and gets its
 * former content back when it does not start with the new one.
 */
final class InPlaceUpdate {
  private final ModuleBundles bundles;
  private final Probation probation;
  private final Uses uses;
  private final ModuleLeases leases;
  private final Copies copies;
  private final Ledger ledger;
  private final History history;

  InPlaceUpdate(
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

  Action update(Path content, ModuleJar jar, Installed entry, boolean inFolder) throws IOException {
    Instant begin = Instant.now();
    long id = entry.bundle.getBundleId();
    String version = jar.version().toString();
    List<LeaseDescription> before = leases.leases();
    Set<Use> held = uses.of(id);
    bundles.drain(id);
    Optional<String> failure = replaceContent(entry.bundle, content, held);
    String outcome;
    if (failure.isPresent()) {
      ledger.refuse(jar, failure.get());
      outcome = failure.get() + goBack(jar, entry, held, failure.get());
    } else {
      entry.jar = jar;
      entry.inFolder = inFolder;
      entry.active();
      copies.keep(entry, content);
      outcome =
          "updated in place, because the version is the same; give it another version to swap"
              + " without a gap";
    }
    leases.readmit(id);
    return history.record(
        begin,
        Kind.UPDATE,
        jar.symbolicName(),
        version,
        version,
        failure.isEmpty(),
        outcome,
        uses.gap(id, before));
  }

  /** Restores what ran before, if it was kept, and says what came of it. */
  private String goBack(ModuleJar jar, Installed entry, Set<Use> held, String failure)
      throws IOException {
    if (entry.kept == null) {
      entry.notStarted(failure);
      entry.jar = jar;
      return "";
    }
    bundles.drain(entry.bundle.getBundleId());
    Optional<String> back = replaceContent(entry.bundle, entry.kept, held);
    back.ifPresentOrElse(entry::failed, entry::active);
    return back.map(problem -> "; what was there before does not start again: " + problem)
        .orElse("; what was there before is back");
  }

  private Optional<String> replaceContent(Bundle bundle, Path content, Set<Use> held)
      throws IOException {
    try {
      bundles.restart(bundle, content);
      return probation.await(bundle, held);
    } catch (BundleException e) {
      return Optional.of(bundles.notStarted(bundle, e));
    }
  }
}
