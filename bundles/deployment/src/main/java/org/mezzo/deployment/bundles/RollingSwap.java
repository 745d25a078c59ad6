package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Verdict;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How another version takes over: it is started beside the old one and takes over from it; the old
 * one goes when the new one has passed its probation, and stays when it has not.
 */
final class RollingSwap {
  private static final Logger LOG = LoggerFactory.getLogger(RollingSwap.class);

  private final ModuleBundles bundles;
  private final Probation probation;
  private final Uses uses;
  private final ModuleLeases leases;
  private final Ledger ledger;

  RollingSwap(
      ModuleBundles bundles, Probation probation, Uses uses, ModuleLeases leases, Ledger ledger) {
    this.bundles = bundles;
    this.probation = probation;
    this.uses = uses;
    this.leases = leases;
    this.ledger = ledger;
  }

  Action swap(Transaction change, Path content, ModuleJar jar, Installed old, boolean inFolder)
      throws IOException, BundleException {
    Set<Use> held = uses.of(old.bundle.getBundleId());
    List<LeaseDescription> before = leases.leases();
    Bundle next = bundles.install(content, jar);
    change.stage("installed beside " + old.version());
    Optional<String> failure;
    Verdict.Kind verdict = Verdict.Kind.REFUSED;
    try {
      bundles.startOnTrial(next, jar);
      change.stage("started");
      failure = probation.await(next, held);
    } catch (HangsException e) {
      failure = Optional.of(Reasons.plain(e));
      verdict = Verdict.Kind.HUNG;
    } catch (BundleException e) {
      failure = Optional.of(bundles.notStarted(next, e));
    }
    if (failure.isPresent()) {
      return takeBack(change, jar, old, next, verdict, failure.get(), before);
    }
    change.stage("passed its probation");
    return takeOver(change, new Installed(next, jar, inFolder), old, before);
  }

  private Action takeBack(
      Transaction change,
      ModuleJar jar,
      Installed old,
      Bundle next,
      Verdict.Kind verdict,
      String failure,
      List<LeaseDescription> before) {
    long id = old.bundle.getBundleId();
    ledger.refuse(jar, verdict, failure);
    leases.readmit(id);
    retire(next, jar);
    return change.end(false, failure + "; " + old.version() + " stays", uses.gap(id, before));
  }

  private Action takeOver(
      Transaction change, Installed next, Installed old, List<LeaseDescription> before) {
    String from = old.version();
    // From here on the new one runs, whatever becomes of the old one.
    ledger.put(next);
    retire(old.bundle, old.jar);
    change.stage(from + " drained and removed");
    return change.end(
        true,
        "the new version took over from the old one",
        uses.gap(next.bundle.getBundleId(), before));
  }

  /** Removes a bundle that nobody uses; one that cannot be removed is said to be left. */
  private void retire(Bundle bundle, ModuleJar jar) {
    try {
      bundles.retire(bundle);
    } catch (BundleException e) {
      String problem = Reasons.plain(e);
      LOG.warn("{} stays in this process, unused: {}", Reasons.name(bundle), problem);
      ledger.stuck(jar, bundle.getBundleId(), problem);
    }
  }
}
