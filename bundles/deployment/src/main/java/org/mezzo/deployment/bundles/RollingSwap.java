package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How another version takes over: it is started beside the old one, rehearses, and takes over; what
 * depends on the old one is installed once more, depending on the new one, and takes over with it.
 * All of them stay, or none does.
 */
final class RollingSwap {
  private static final Logger LOG = LoggerFactory.getLogger(RollingSwap.class);

  private final ModuleBundles bundles;
  private final Probation probation;
  private final Rehearsal rehearsal;
  private final Uses uses;
  private final ModuleLeases leases;
  private final BundleStore store;
  private final Ledger ledger;

  RollingSwap(
      ModuleBundles bundles,
      Probation probation,
      Rehearsal rehearsal,
      Uses uses,
      ModuleLeases leases,
      BundleStore store,
      Ledger ledger) {
    this.bundles = bundles;
    this.probation = probation;
    this.rehearsal = rehearsal;
    this.uses = uses;
    this.leases = leases;
    this.store = store;
    this.ledger = ledger;
  }

  /** What went wrong with a candidate. */
  private record Failure(Verdict.Kind verdict, String problem) {}

  /**
   * Swaps.
   *
   * @param together the changed one and new versions of some that need the old one, all in the
   *     store
   * @param keep whether the old one stays installed, to be gone back to at once
   */
  Action swap(
      Transaction change, List<ModuleJar> together, Installed old, boolean inFolder, boolean keep)
      throws IOException, BundleException {
    List<Installed> formers = new ArrayList<>(List.of(old));
    formers.addAll(ledger.dependents(old));
    formers.forEach(former -> settle(former.succession));
    // Predecessors that are kept and need it go, too.
    ledger.successions(Wiring.dependents(old.bundle)).forEach(this::settle);
    List<LeaseDescription> before = leases.leases();
    List<Installed> heirs = new ArrayList<>();
    try {
      for (Installed former : formers) {
        ModuleJar next = next(former, together);
        boolean wanted = next == former.jar ? former.inFolder : inFolder;
        Bundle bundle = bundles.candidate(store.file(next.digest()), next, former.bundle);
        Installed heir = new Installed(bundle, next, wanted);
        if (next == former.jar) {
          heir.override(former.overrides, former.notice);
        }
        heirs.add(heir);
      }
    } catch (IOException | BundleException e) {
      formers.forEach(former -> bundles.established(former.bundle));
      retire(heirs);
      throw e;
    }
    change.stage("installed beside " + names(formers));
    Optional<Failure> failure;
    try {
      failure = tryOut(change, heirs, formers);
    } catch (RuntimeException | Error e) {
      restore(formers);
      retire(heirs);
      throw e;
    }
    if (failure.isPresent()) {
      return takeBack(change, failure.get(), heirs, formers, before);
    }
    change.stage("passed its probation");
    return takeOver(change, new Succession(heirs, formers), keep, before);
  }

  private static ModuleJar next(Installed former, List<ModuleJar> together) {
    return together.stream()
        .filter(jar -> jar.symbolicName().equals(former.jar.symbolicName()))
        .findFirst()
        .orElse(former.jar);
  }

  private Optional<Failure> tryOut(
      Transaction change, List<Installed> heirs, List<Installed> formers) {
    for (int i = 0; i < heirs.size(); i++) {
      Optional<Failure> failure = start(heirs.get(i));
      if (failure.isPresent() && !wasLame(i, heirs, formers, failure.get())) {
        return failure.map(of(i, heirs));
      }
    }
    change.stage("started and rehearsed");
    List<Set<Use>> held =
        formers.stream().map(former -> uses.of(former.bundle.getBundleId())).toList();
    // All at once: none of them serves before all can.
    heirs.forEach(heir -> leases.readmit(heir.bundle.getBundleId()));
    for (int i = 0; i < heirs.size(); i++) {
      if (heirs.get(i).problem.isEmpty()) {
        Optional<Failure> failure =
            probation
                .await(heirs.get(i).bundle, held.get(i))
                .map(problem -> new Failure(Verdict.Kind.REFUSED, problem));
        if (failure.isPresent()) {
          return failure.map(of(i, heirs));
        }
      }
    }
    return Optional.empty();
  }

  /** Whether a dependent fails that did not run before either; that speaks against nothing new. */
  private static boolean wasLame(
      int index, List<Installed> heirs, List<Installed> formers, Failure failure) {
    boolean lame = index > 0 && !formers.get(index).state.equals("active");
    if (lame) {
      heirs.get(index).notStarted(failure.problem);
    }
    return lame;
  }

  private static UnaryOperator<Failure> of(int index, List<Installed> heirs) {
    return failure ->
        index == 0
            ? failure
            : new Failure(
                failure.verdict,
                heirs.get(index).name() + ", which needs it, fails: " + failure.problem);
  }

  private Optional<Failure> start(Installed heir) {
    try {
      bundles.bar(heir.bundle);
      bundles.startMarked(heir.bundle, heir.jar);
      Optional<String> problem = probation.awaitRegistered(heir.bundle);
      if (problem.isPresent()) {
        return problem.map(why -> new Failure(Verdict.Kind.REFUSED, why));
      }
      return rehearsal.of(heir.bundle).map(it -> new Failure(it.verdict(), it.problem()));
    } catch (HangsException e) {
      return Optional.of(new Failure(Verdict.Kind.HUNG, Reasons.plain(e)));
    } catch (BundleException e) {
      return Optional.of(new Failure(Verdict.Kind.REFUSED, bundles.notStarted(heir.bundle, e)));
    }
  }

  private Action takeBack(
      Transaction change,
      Failure failure,
      List<Installed> heirs,
      List<Installed> formers,
      List<LeaseDescription> before) {
    ledger.refuse(heirs.get(0).jar, failure.verdict, failure.problem);
    restore(formers);
    retire(heirs);
    Installed old = formers.get(0);
    String remains = bundles.isStuck(old.bundle) ? "" : "; " + old.version() + " stays";
    return change.end(false, failure.problem + remains, gap(formers, before));
  }

  /** What was to be taken over from serves on. */
  private void restore(List<Installed> formers) {
    for (Installed former : formers) {
      if (!bundles.isStuck(former.bundle)) {
        bundles.established(former.bundle);
        leases.readmit(former.bundle.getBundleId());
      }
    }
  }

  private Action takeOver(
      Transaction change, Succession succession, boolean keep, List<LeaseDescription> before) {
    List<Installed> formers = succession.formers;
    // From here on the new ones run, whatever becomes of the old ones.
    for (Installed heir : succession.heirs) {
      ledger.put(heir);
      heir.succession = succession;
    }
    succession.heirs.forEach(heir -> bundles.established(heir.bundle));
    Duration gap = gap(succession.heirs, before);
    if (keep) {
      change.stage(names(formers) + " kept until the trial is over");
    } else {
      settle(succession);
      change.stage(names(formers) + " drained and removed");
    }
    List<Installed> needing = succession.heirs.subList(1, succession.heirs.size());
    String with =
        needing.isEmpty()
            ? ""
            : ", and with it "
                + names(needing)
                + (needing.size() == 1 ? ", which needs it" : ", which need it");
    return change.end(true, "the new version took over from the old one" + with, gap);
  }

  private Duration gap(List<Installed> holders, List<LeaseDescription> before) {
    return holders.stream()
        .map(holder -> uses.gap(holder.bundle.getBundleId(), before))
        .reduce(Duration.ZERO, (a, b) -> a.compareTo(b) < 0 ? b : a);
  }

  /** Predecessors that were kept are needed no more, and go; null when there are none. */
  void settle(Succession succession) {
    if (succession == null) {
      return;
    }
    succession.heirs.forEach(heir -> heir.succession = null);
    retire(succession.formers);
  }

  /**
   * Goes back: predecessors that are still installed serve again, without anything being started.
   *
   * @return the change's end
   */
  Action goBack(Transaction change, Succession succession) {
    List<LeaseDescription> before = leases.leases();
    for (Installed heir : succession.heirs) {
      heir.succession = null;
      bundles.drain(heir.bundle.getBundleId());
    }
    change.stage(names(succession.heirs) + " drained");
    for (Installed former : succession.formers) {
      bundles.established(former.bundle);
      ledger.restored(former);
    }
    Duration gap = gap(succession.formers, before);
    retire(succession.heirs);
    change.stage(names(succession.heirs) + " removed");
    return change.end(true, "what ran before serves again", gap);
  }

  /** Removes bundles that nobody uses, those that need others first. */
  private void retire(List<Installed> entries) {
    List<Installed> reverse = new ArrayList<>(entries);
    Collections.reverse(reverse);
    for (Installed entry : reverse) {
      try {
        bundles.retire(entry.bundle);
      } catch (BundleException e) {
        String problem = Reasons.plain(e);
        LOG.warn("{} stays in this process, unused: {}", entry.name(), problem);
        ledger.stuck(entry.jar, entry.bundle.getBundleId(), problem);
      }
    }
  }

  private static String names(List<Installed> entries) {
    return entries.stream().map(Installed::name).collect(Collectors.joining(", "));
  }
}
