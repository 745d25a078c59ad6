package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.journal.Good;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.deployment.journal.StateFolder;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Changes of what is installed, each in the way that it takes. */
final class Changes {
  private static final Logger LOG = LoggerFactory.getLogger(Changes.class);

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

  /** What speaks against a jar whatever runs now; empty when nothing does. */
  Optional<String> objection(ModuleJar jar) {
    return admission.objection(jar, ledger.known());
  }

  /** Which module that a daemon holds is not in a bundle's other version; empty when all are. */
  Optional<String> dropped(ModuleJar jar) {
    Installed old = ledger.installed(jar.symbolicName());
    if (old == null || old.jar.digest().equals(jar.digest())) {
      return Optional.empty();
    }
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

  /** Refuses a jar that could run, for good: at the next start nothing could be told of it. */
  void refuse(ModuleJar jar, String principal, String why) {
    Installed old = ledger.installed(jar.symbolicName());
    Transaction change = history.begin(principal, jar, old);
    ledger.refuse(jar, Verdict.Kind.REFUSED, why);
    change.failed(why + (old == null ? "" : "; " + old.version() + " stays"));
  }

  /** Installs, swaps or updates, whichever it takes. */
  Action deploy(ModuleJar jar, boolean inFolder, String principal) {
    return deploy(jar, inFolder, principal, Map.of());
  }

  /**
   * The same by request.
   *
   * @param lastStep what is to be done with it once it runs; what that says is told, too
   */
  Action deploy(ModuleJar jar, String principal, Supplier<String> lastStep) {
    Transaction change = history.begin(principal, jar, ledger.installed(jar.symbolicName()));
    change.lastStep(lastStep);
    return deploy(change, jar, false, Map.of());
  }

  /**
   * Installs, swaps or updates, whichever it takes.
   *
   * @param others that are to be deployed, too, by symbolic name: those that need this one are
   *     swapped together with it
   */
  Action deploy(ModuleJar jar, boolean inFolder, String principal, Map<String, ModuleJar> others) {
    Transaction change = history.begin(principal, jar, ledger.installed(jar.symbolicName()));
    return deploy(change, jar, inFolder, others);
  }

  private Action deploy(
      Transaction change, ModuleJar jar, boolean inFolder, Map<String, ModuleJar> others) {
    Installed old = ledger.installed(jar.symbolicName());
    List<ModuleJar> together = new ArrayList<>(List.of(jar));
    Action action;
    try {
      if (old != null) {
        ledger.dependents(old).stream()
            .map(dependent -> others.get(dependent.jar.symbolicName()))
            .filter(Objects::nonNull)
            .forEach(together::add);
      }
      for (ModuleJar each : together) {
        stage(each);
        change.stage("staged as " + each.digest());
      }
      action = deploy(change, together, old, inFolder);
    } catch (IOException e) {
      String problem = Reasons.plain(e);
      ledger.turnAway(jar, Ledger.UNREAD, problem);
      action = change.failed(problem + (old == null ? "" : "; what is installed stays"));
    } catch (BundleException | RuntimeException e) {
      // Whatever one jar provokes is said of that jar, and the others are followed all the same.
      String problem = Reasons.plain(e);
      ledger.refuse(jar, Verdict.Kind.REFUSED, problem);
      action = change.failed(problem + (old == null ? "" : "; what is installed stays"));
    } catch (Error e) {
      // Perhaps of this process and not of the jar, which is tried again when it comes again.
      LOG.error("{} could not be deployed", jar.path(), e);
      ledger.turnAway(jar, Ledger.UNREAD, e.toString());
      action = change.failed(e + (old == null ? "" : "; what is installed stays"));
    }
    if (action.succeeded()) {
      together.forEach(ledger::accepted);
      installation.retryUnresolved();
    }
    ledger.publish();
    return action;
  }

  private void stage(ModuleJar jar) throws IOException {
    Path content = store.stage(jar.path(), jar.digest());
    if (!ModuleJar.read(content, jar.arrivedMillis()).at(jar.path()).equals(jar)) {
      throw new IOException(jar.path() + " was changed while it was read");
    }
    store.force(jar.digest());
  }

  private Action deploy(
      Transaction change, List<ModuleJar> together, Installed old, boolean inFolder)
      throws IOException, BundleException {
    ModuleJar jar = together.get(0);
    if (old == null) {
      return installation.install(change, store.file(jar.digest()), jar, inFolder);
    }
    ModuleJar former = old.jar;
    boolean served =
        old.problem.isEmpty()
            && !uses.quarantined(old.bundle.getBundleId())
            && journal.verdict(former.digest()).isEmpty();
    boolean proven = journal.isProven(jar.symbolicName(), jar.digest());
    boolean inPlace =
        old.bundle.getVersion().equals(jar.version()) && ledger.dependents(old).isEmpty();
    List<ModuleJar> formers =
        together.stream().map(each -> ledger.installed(each.symbolicName()).jar).toList();
    for (ModuleJar each : formers) {
      secure(each, inPlace && served);
    }
    // Known before anything changes: the folder may hold nothing but the new ones by now.
    List<Good> before = new ArrayList<>();
    formers.forEach(each -> journal.good(each.symbolicName()).ifPresent(before::add));
    if (served) {
      formers.forEach(
          each -> journal.served(each.symbolicName(), each.version().toString(), each.digest()));
    }
    boolean succeeded = false;
    try {
      Action action = replace(change, together, old, inFolder, inPlace, served && !proven);
      succeeded = action.succeeded();
      if (succeeded && served) {
        for (int i = 0; i < formers.size(); i++) {
          if (!formers.get(i).digest().equals(together.get(i).digest())) {
            journal.former(formers.get(i).symbolicName(), formers.get(i).digest());
          }
        }
      }
      return action;
    } finally {
      if (!succeeded) {
        before.forEach(journal::good);
      }
    }
  }

  /**
   * Makes sure that what runs can be gone back to.
   *
   * @param needed whether it must be, because nothing of it stays installed meanwhile
   */
  private void secure(ModuleJar former, boolean needed) throws IOException {
    try {
      store.stage(former.path(), former.digest());
      store.force(former.digest());
    } catch (IOException e) {
      String problem =
          "what runs, %s %s, cannot be kept to go back to (%s)"
              .formatted(former.symbolicName(), former.version(), Reasons.plain(e));
      if (needed) {
        throw new IOException(
            problem + "; give the new one another version, so that both can run side by side", e);
      }
      LOG.warn("{}", problem);
    }
  }

  private Action replace(
      Transaction change,
      List<ModuleJar> together,
      Installed old,
      boolean inFolder,
      boolean inPlace,
      boolean keep)
      throws IOException, BundleException {
    ModuleJar jar = together.get(0);
    if (!inPlace) {
      return rollingSwap.swap(change, together, old, inFolder, keep);
    }
    rollingSwap.settle(old.succession);
    Path formerContent = store.file(old.jar.digest());
    return inPlaceUpdate.update(
        change, store.file(jar.digest()), jar, formerContent, old, inFolder);
  }

  /**
   * Has what ran before run again, because somebody asks for that.
   *
   * @param former in the store
   * @param lastStep what is to be done with it once it runs; what that says is told, too
   */
  Action rollBack(
      Installed current, ModuleJar former, String principal, Supplier<String> lastStep) {
    ModuleJar left = current.jar;
    Transaction change = history.begin(principal, former, current);
    change.lastStep(lastStep);
    change.stage("asked to go back from " + left.digest());
    Succession succession = current.succession;
    boolean kept =
        succession != null
            && succession.heir() == current
            && succession.former().jar.digest().equals(former.digest())
            && succession.formers.stream().allMatch(it -> it.bundle.getState() == Bundle.ACTIVE);
    Action action =
        kept ? rollingSwap.goBack(change, succession) : deploy(change, former, false, Map.of());
    if (action.succeeded()) {
      ledger.refuse(left, Verdict.Kind.ROLLED_BACK, principal + " asked for that");
      ledger.publish();
    }
    return action;
  }

  /** What took over fails: what was good before is put in its place. */
  void rollBack(Installed failing, String why) {
    goBack(failing, Verdict.Kind.ROLLED_BACK, why);
  }

  /**
   * What came with the host, or is used for the first time, fails when it rehearses: what was good
   * before is put in its place. Where nothing was, it stays as it is, is said to fail, and is tried
   * again by whoever wants it, since no other could serve.
   */
  void refuseRehearsed(Installed failing, Rehearsal.Failure failure) {
    ModuleJar jar = failing.jar;
    String problem = failure.problem();
    Optional<String> instead = whatIsGoodFor(failing);
    boolean tried = journal.verdict(jar.digest()).isPresent();
    if (instead.isPresent() && !tried) {
      history
          .begin(Kind.INSTALL, History.HOST, jar.symbolicName(), "", failing.version())
          .failed(problem + "; " + instead.get() + ", the last that was good, runs instead");
      goBack(failing, failure.verdict(), problem);
    } else if (!failing.problem.equals(problem)) {
      failing.failed(problem);
      failing.stageFright = true;
      history
          .begin(Kind.INSTALL, History.HOST, jar.symbolicName(), "", failing.version())
          .failed(
              problem
                  + (tried
                      ? "; what was good before could not take its place, as the history tells"
                      : "; no other version was good before that could run instead")
                  + ". Put right what it lacks, then it is used by itself, or install another"
                  + " version");
    }
  }

  /** The version that {@link #goBack} would have run instead; empty when there is none. */
  private Optional<String> whatIsGoodFor(Installed failing) {
    Succession succession = failing.succession;
    if (succession != null && mayGoBack(succession)) {
      return Optional.of(succession.former().version());
    }
    ModuleJar failed = (succession == null ? failing : succession.heir()).jar;
    return installation
        .lastGood(failed.symbolicName(), failed.digest())
        .map(good -> good.version().toString());
  }

  private void goBack(Installed failing, Verdict.Kind kind, String why) {
    Succession succession = failing.succession;
    Installed heir = succession == null ? failing : succession.heir();
    ModuleJar failed = heir.jar;
    String reason =
        failing == heir ? why : failing.name() + ", which needs it, fails since: " + why;
    if (succession != null && mayGoBack(succession)) {
      ledger.refuse(failed, kind, reason);
      Transaction change = history.begin(History.SELF, succession.former().jar, heir);
      change.stage(kind.word() + " because " + reason);
      rollingSwap.goBack(change, succession);
      ledger.turnAway(failed, kind.word(), reason);
      ledger.publish();
      return;
    }
    Optional<ModuleJar> good = installation.lastGood(failed.symbolicName(), failed.digest());
    if (good.isEmpty()) {
      return;
    }
    ledger.refuse(failed, kind, reason);
    Action action = deploy(good.get(), heir.inFolder, History.SELF);
    if (action.succeeded()) {
      ledger.turnAway(failed, kind.word(), reason);
      ledger.publish();
    }
  }

  /** Whether what is kept is what is to be gone back to, and still runs. */
  private boolean mayGoBack(Succession succession) {
    ModuleJar former = succession.former().jar;
    return journal
            .good(former.symbolicName())
            .filter(good -> good.digest().equals(former.digest()))
            .isPresent()
        && succession.formers.stream().allMatch(kept -> kept.bundle.getState() == Bundle.ACTIVE);
  }

  /** A succession has lasted: nobody goes back from it at once any more. */
  void settle(Succession succession) {
    rollingSwap.settle(succession);
  }

  /** What a bundle cannot be removed for; empty when it can. */
  Optional<String> neededBy(Installed entry) {
    List<String> dependents =
        ledger.dependents(entry).stream().map(other -> other.jar.symbolicName()).toList();
    return dependents.isEmpty()
        ? Optional.empty()
        : Optional.of(
            String.join(", ", dependents) + (dependents.size() == 1 ? " needs it" : " need it"));
  }

  Action remove(Installed entry, String why, String principal) {
    Transaction change =
        history.begin(Kind.UNINSTALL, principal, entry.jar.symbolicName(), entry.version(), "");
    rollingSwap.settle(entry.succession);
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
