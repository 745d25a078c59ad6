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
 * How another version takes over: it is started beside the old one and takes over from it; the old
 * one goes when the new one has passed its probation, and stays when it has not.
 */
final class RollingSwap {
  private final ModuleBundles bundles;
  private final Probation probation;
  private final Uses uses;
  private final ModuleLeases leases;
  private final Copies copies;
  private final Ledger ledger;
  private final History history;

  RollingSwap(
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

  Action swap(Path content, ModuleJar jar, Installed old, boolean inFolder)
      throws IOException, BundleException {
    Instant begin = Instant.now();
    Set<Use> held = uses.of(old.bundle.getBundleId());
    List<LeaseDescription> before = leases.leases();
    Bundle next = bundles.install(content, jar);
    Optional<String> failure;
    try {
      bundles.start(next);
      failure = probation.await(next, held);
    } catch (BundleException e) {
      failure = Optional.of(bundles.notStarted(next, e));
    }
    return failure.isPresent()
        ? takeBack(begin, jar, old, next, failure.get(), before)
        : takeOver(begin, content, new Installed(next, jar, inFolder), old, before);
  }

  private Action takeBack(
      Instant begin,
      ModuleJar jar,
      Installed old,
      Bundle next,
      String failure,
      List<LeaseDescription> before)
      throws BundleException {
    long id = old.bundle.getBundleId();
    leases.readmit(id);
    bundles.retire(next);
    ledger.refuse(jar, failure);
    return history.record(
        begin,
        Kind.SWAP,
        jar.symbolicName(),
        old.version(),
        jar.version().toString(),
        false,
        failure + "; " + old.version() + " stays",
        uses.gap(id, before));
  }

  private Action takeOver(
      Instant begin, Path content, Installed next, Installed old, List<LeaseDescription> before)
      throws BundleException {
    String from = old.version();
    bundles.retire(old.bundle);
    ledger.put(next);
    Copies.discard(old.kept);
    copies.keep(next, content);
    return history.record(
        begin,
        Kind.SWAP,
        next.jar.symbolicName(),
        from,
        next.jar.version().toString(),
        true,
        "the new version took over from the old one",
        uses.gap(next.bundle.getBundleId(), before));
  }
}
