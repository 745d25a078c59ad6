package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.journal.Good;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.deployment.journal.StateFolder;
import org.mezzo.deployment.journal.Verdict;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.BundleException;

/** Changes of what is installed, each in the way that it takes. */
final class Changes {
  private final ModuleBundles bundles;
  private final Admission admission;
  private final Installation installation;
  private final RollingSwap rollingSwap;
  private final InPlaceUpdate inPlaceUpdate;
  private final Uses uses;
  private final ModuleLeases leases;
  private final Journal journal;
  private final BundleStore store;
  private final Ledger ledger;
  private final History history;

  Changes(
      ModuleBundles bundles,
      Admission admission,
      Installation installation,
      RollingSwap rollingSwap,
      InPlaceUpdate inPlaceUpdate,
      Uses uses,
      ModuleLeases leases,
      StateFolder state,
      Ledger ledger,
      History history) {
    this.bundles = bundles;
    this.admission = admission;
    this.installation = installation;
    this.rollingSwap = rollingSwap;
    this.inPlaceUpdate = inPlaceUpdate;
    this.uses = uses;
    this.leases = leases;
    this.journal = state.journal();
    this.store = state.store();
    this.ledger = ledger;
    this.history = history;
  }

  /** What speaks against a jar before anything of it runs; empty when nothing does. */
  Optional<String> objection(ModuleJar jar) {
    Optional<String> objection = admission.objection(jar, ledger.known());
    Installed old = ledger.installed(jar.symbolicName());
    return objection.isPresent() || old == null || old.jar.digest().equals(jar.digest())
        ? objection
        : dropped(jar, old);
  }

  /** Which module that a daemon holds is not in a bundle's other version. */
  private Optional<String> dropped(ModuleJar jar, Installed old) {
    long id = old.bundle.getBundleId();
    for (Use use : uses.of(id)) {
      boolean kept =
          jar.modules().stream()
              .anyMatch(module -> module.title().equals(use.kind() + " " + use.name()));
      if (!kept && !offeredElsewhere(use, id)) {
        return Optional.of(
            "it has no %s '%s' any more, which %s uses; have that daemon use another one, or uninstall %s first"
                .formatted(use.kind(), use.name(), use.daemon(), jar.symbolicName()));
      }
    }
    return Optional.empty();
  }

  private boolean offeredElsewhere(Use use, long bundleId) {
    for (ModuleDescription module : leases.modules()) {
      if (module.kind().equals(use.kind())
          && module.name().equals(use.name())
          && module.bundleId() != bundleId
          && !module.state().equals("quarantined")) {
        return true;
      }
    }
    return false;
  }

  /** Says once that a jar is not deployed and why. */
  void turnAway(ModuleJar jar, String principal, String objection) {
    if (ledger.turnAway(jar, "refused", objection)) {
      history
          .begin(principal, jar, ledger.installed(jar.symbolicName()))
          .failed(jar.fileName() + " was refused: " + objection);
    }
  }

  /** Installs, swaps or updates, whichever it takes. */
  Action deploy(ModuleJar jar, boolean inFolder, String principal) {
    Installed old = ledger.installed(jar.symbolicName());
    Transaction change = history.begin(principal, jar, old);
    Action action;
    try {
      Path content = store.stage(jar.path(), jar.digest());
      if (!ModuleJar.read(content, jar.arrivedMillis()).at(jar.path()).equals(jar)) {
        throw new IOException(jar.path() + " was changed while it was read");
      }
      store.force(jar.digest());
      change.stage("staged as " + jar.digest());
      action = deploy(change, content, jar, old, inFolder);
    } catch (IOException e) {
      String problem = Reasons.plain(e);
      ledger.turnAway(jar, Ledger.UNREAD, problem);
      action = change.failed(problem + (old == null ? "" : "; what is installed stays"));
    } catch (BundleException | RuntimeException e) {
      // Whatever one jar provokes is said of that jar, and the others are followed all the same.
      String problem = Reasons.plain(e);
      ledger.refuse(jar, Verdict.Kind.REFUSED, problem);
      action = change.failed(problem + (old == null ? "" : "; what is installed stays"));
    }
    if (action.succeeded()) {
      ledger.accepted(jar);
      installation.retryUnresolved();
    }
    ledger.publish();
    return action;
  }

  private Action deploy(
      Transaction change, Path content, ModuleJar jar, Installed old, boolean inFolder)
      throws IOException, BundleException {
    if (old == null) {
      return installation.install(change, content, jar, inFolder);
    }
    ModuleJar former = old.jar;
    boolean served = old.problem.isEmpty() && !uses.quarantined(old.bundle.getBundleId());
    Action action =
        old.bundle.getVersion().equals(jar.version())
            ? inPlaceUpdate.update(change, content, jar, store.file(former.digest()), old, inFolder)
            : rollingSwap.swap(change, content, jar, old, inFolder);
    boolean proven = journal.good(jar.symbolicName()).filter(Good::proven).isPresent();
    if (action.succeeded() && served && !proven && journal.verdict(former.digest()).isEmpty()) {
      journal.good(
          new Good(former.symbolicName(), former.version().toString(), former.digest(), false));
    }
    return action;
  }

  /** What took over fails: what was good before is put in its place. */
  void rollBack(Installed entry, String why) {
    ModuleJar failed = entry.jar;
    Optional<ModuleJar> good = installation.lastGood(failed.symbolicName(), failed.digest());
    if (good.isEmpty()) {
      return;
    }
    ledger.refuse(failed, Verdict.Kind.ROLLED_BACK, why);
    Action action = deploy(good.get(), entry.inFolder, History.SELF);
    if (action.succeeded()) {
      ledger.turnAway(failed, Verdict.Kind.ROLLED_BACK.word(), why);
      ledger.publish();
    }
  }

  Action remove(Installed entry, String why, String principal) {
    Transaction change =
        history.begin(Kind.UNINSTALL, principal, entry.jar.symbolicName(), entry.version(), "");
    try {
      bundles.retire(entry.bundle);
      ledger.remove(entry);
      return change.end(true, why, Duration.ZERO);
    } catch (HangsException e) {
      String problem = Reasons.plain(e);
      ledger.stuck(entry.jar, entry.bundle.getBundleId(), problem);
      ledger.remove(entry);
      return change.end(
          true, why + "; nobody uses it, but it stays in this process: " + problem, Duration.ZERO);
    } catch (BundleException e) {
      String outcome = "it cannot be removed: " + Reasons.plain(e);
      entry.failed(outcome);
      return change.failed(outcome);
    }
  }
}
