package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a jar of the same version replaces what runs: the bundle is stopped in between, and gets its
 * former content back when it does not start with the new one. A bundle that nobody can stop is
 * left alone, and what is to run is installed beside it.
 */
final class InPlaceUpdate {
  private static final Logger LOG = LoggerFactory.getLogger(InPlaceUpdate.class);

  private final ModuleBundles bundles;
  private final Probation probation;
  private final RollingSwap rollingSwap;
  private final Uses uses;
  private final ModuleLeases leases;
  private final Ledger ledger;
  private final History history;

  InPlaceUpdate(
      ModuleBundles bundles,
      Probation probation,
      RollingSwap rollingSwap,
      Uses uses,
      ModuleLeases leases,
      Ledger ledger,
      History history) {
    this.bundles = bundles;
    this.probation = probation;
    this.rollingSwap = rollingSwap;
    this.uses = uses;
    this.leases = leases;
    this.ledger = ledger;
    this.history = history;
  }

  /** What went wrong with a content; without a verdict when that is not its own fault. */
  private record Failure(Optional<Verdict.Kind> verdict, String problem) {}

  /**
   * Updates.
   *
   * @param content of the jar, in the store
   * @param formerContent the same of what is installed
   * @throws IOException when the content cannot be read; nothing has changed then
   */
  Action update(
      Transaction change,
      Path content,
      ModuleJar jar,
      Path formerContent,
      Installed entry,
      boolean inFolder)
      throws IOException, BundleException {
    if (!bundles.isStuck(entry.bundle)) {
      // Opened before anything stops, so that it is there when it is needed.
      try (InputStream next = Files.newInputStream(content)) {
        List<LeaseDescription> before = leases.leases();
        Set<Use> held = uses.of(entry.bundle.getBundleId());
        bundles.drain(entry.bundle.getBundleId());
        bundles.stop(entry.bundle);
        change.stage("drained and stopped");
        return replace(change, next, jar, formerContent, entry, inFolder, held, before);
      } catch (HangsException e) {
        // Of the old content; nothing of that speaks against the new one.
        entry.failed(Reasons.plain(e));
        change.stage("the former content does not stop and is left alone");
      }
    }
    Action action = rollingSwap.swap(change, List.of(jar), entry, inFolder, false);
    if (!action.succeeded()) {
      goBackBeside(entry);
    }
    return action;
  }

  private Action replace(
      Transaction change,
      InputStream content,
      ModuleJar jar,
      Path formerContent,
      Installed entry,
      boolean inFolder,
      Set<Use> held,
      List<LeaseDescription> before) {
    long id = entry.bundle.getBundleId();
    Optional<Failure> failure = replaceContent(entry, content, jar, held);
    if (failure.isEmpty()) {
      ledger.replaced(entry, jar);
      entry.inFolder = inFolder;
      entry.active();
      leases.readmit(id);
      return change.end(
          true,
          "updated in place, because the version is the same; give it another version to swap"
              + " without a gap",
          uses.gap(id, before));
    }
    String problem = failure.get().problem;
    failure
        .get()
        .verdict
        .ifPresentOrElse(
            kind -> ledger.refuse(jar, kind, problem),
            () -> ledger.turnAway(jar, Ledger.UNREAD, problem));
    change.stage("failed");
    String outcome = goBack(entry, formerContent, held);
    Installed now = ledger.installed(jar.symbolicName());
    return change.end(false, problem + outcome, uses.gap(now.bundle.getBundleId(), before));
  }

  /** Restores what ran before and says what came of it. */
  private String goBack(Installed entry, Path formerContent, Set<Use> held) {
    long id = entry.bundle.getBundleId();
    Optional<String> problem;
    if (bundles.isStuck(entry.bundle)) {
      problem = goBackBeside(entry);
    } else {
      try (InputStream former = Files.newInputStream(formerContent)) {
        bundles.drain(id);
        bundles.stop(entry.bundle);
        problem = replaceContent(entry, former, entry.jar, held).map(Failure::problem);
        problem.ifPresentOrElse(entry::failed, entry::active);
        leases.readmit(id);
      } catch (BundleException e) {
        problem = goBackBeside(entry);
      } catch (IOException e) {
        problem = Optional.of(Reasons.plain(e));
        entry.failed("what ran before cannot be read: " + Reasons.plain(e));
      }
    }
    return problem
        .map(why -> "; what was there before does not start again: " + why)
        .orElse("; what was there before is back");
  }

  /**
   * Has what ran before run in another bundle, because nobody can stop this one.
   *
   * @return what is wrong; empty when it runs
   */
  private Optional<String> goBackBeside(Installed entry) {
    Transaction change = history.begin(History.SELF, entry.jar, entry);
    Action action;
    try {
      action = rollingSwap.swap(change, List.of(entry.jar), entry, entry.inFolder, false);
    } catch (IOException | BundleException e) {
      action = change.failed(Reasons.plain(e));
    }
    if (action.succeeded()) {
      return Optional.empty();
    }
    entry.failed(action.outcome());
    return Optional.of(action.outcome());
  }

  private Optional<Failure> replaceContent(
      Installed entry, InputStream content, ModuleJar jar, Set<Use> held) {
    try {
      bundles.update(entry.bundle, content, jar);
    } catch (BundleException e) {
      LOG.warn("{} cannot be updated", entry.name(), e);
      boolean unread = Reasons.innermost(e) instanceof IOException;
      return Optional.of(
          new Failure(
              unread ? Optional.empty() : Optional.of(Verdict.Kind.REFUSED), Reasons.plain(e)));
    }
    leases.readmit(entry.bundle.getBundleId());
    try {
      bundles.startMarked(entry.bundle, jar);
    } catch (HangsException e) {
      return Optional.of(new Failure(Optional.of(Verdict.Kind.HUNG), Reasons.plain(e)));
    } catch (BundleException e) {
      return Optional.of(
          new Failure(Optional.of(Verdict.Kind.REFUSED), bundles.notStarted(entry.bundle, e)));
    }
    return probation
        .await(entry.bundle, held)
        .map(problem -> new Failure(Optional.of(Verdict.Kind.REFUSED), problem));
  }
}
