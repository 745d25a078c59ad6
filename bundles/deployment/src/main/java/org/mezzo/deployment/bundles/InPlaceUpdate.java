package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
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
  private final Ledger ledger;

  InPlaceUpdate(
      ModuleBundles bundles, Probation probation, Uses uses, ModuleLeases leases, Ledger ledger) {
    this.bundles = bundles;
    this.probation = probation;
    this.uses = uses;
    this.leases = leases;
    this.ledger = ledger;
  }

  Action update(
      Transaction change,
      Path content,
      ModuleJar jar,
      Path formerContent,
      Installed entry,
      boolean inFolder)
      throws IOException {
    long id = entry.bundle.getBundleId();
    List<LeaseDescription> before = leases.leases();
    Set<Use> held = uses.of(id);
    bundles.drain(id);
    change.stage("drained");
    Optional<String> failure = replaceContent(entry, content, jar, held);
    String outcome;
    if (failure.isPresent()) {
      boolean stuck = bundles.isStuck(entry.bundle);
      ledger.refuse(jar, stuck ? Verdict.Kind.HUNG : Verdict.Kind.REFUSED, failure.get());
      change.stage("failed");
      outcome = failure.get() + goBack(entry, formerContent, held, failure.get());
    } else {
      ledger.replaced(entry, jar);
      entry.inFolder = inFolder;
      entry.active();
      outcome =
          "updated in place, because the version is the same; give it another version to swap"
              + " without a gap";
    }
    if (!bundles.isStuck(entry.bundle)) {
      leases.readmit(id);
    }
    return change.end(failure.isEmpty(), outcome, uses.gap(id, before));
  }

  /** Restores what ran before and says what came of it. */
  private String goBack(Installed entry, Path formerContent, Set<Use> held, String failure)
      throws IOException {
    if (bundles.isStuck(entry.bundle)) {
      entry.failed(failure);
      return "; nothing of that name runs until the host is restarted or another version comes";
    }
    bundles.drain(entry.bundle.getBundleId());
    Optional<String> back = replaceContent(entry, formerContent, entry.jar, held);
    back.ifPresentOrElse(entry::failed, entry::active);
    return back.map(problem -> "; what was there before does not start again: " + problem)
        .orElse("; what was there before is back");
  }

  private Optional<String> replaceContent(
      Installed entry, Path content, ModuleJar jar, Set<Use> held) throws IOException {
    try {
      bundles.restart(entry.bundle, content, jar);
      return probation.await(entry.bundle, held);
    } catch (HangsException e) {
      return Optional.of(Reasons.plain(e));
    } catch (BundleException e) {
      return Optional.of(bundles.notStarted(entry.bundle, e));
    }
  }
}
