package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Good;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.deployment.journal.StateFolder;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a bundle that was not there before comes to be. */
final class Installation {
  private static final Logger LOG = LoggerFactory.getLogger(Installation.class);

  private final ModuleBundles bundles;
  private final Probation probation;
  private final Rehearsal rehearsal;
  private final Uses uses;
  private final ModuleLeases leases;
  private final StateFolder state;
  private final Signatures signatures;
  private final Ledger ledger;
  private final History history;

  Installation(
      ModuleBundles bundles,
      Probation probation,
      Rehearsal rehearsal,
      Uses uses,
      ModuleLeases leases,
      StateFolder state,
      Signatures signatures,
      Ledger ledger,
      History history) {
    this.bundles = bundles;
    this.probation = probation;
    this.rehearsal = rehearsal;
    this.uses = uses;
    this.leases = leases;
    this.state = state;
    this.signatures = signatures;
    this.ledger = ledger;
    this.history = history;
  }

  Action install(Transaction change, Path content, ModuleJar jar, boolean inFolder)
      throws IOException, BundleException {
    Installed entry = new Installed(bundles.install(content, jar), jar, inFolder);
    ledger.put(entry);
    change.stage("installed");
    bundles.bar(entry.bundle);
    if (start(entry)) {
      change.stage("started");
      probation.awaitRegistered(entry.bundle).ifPresent(entry::failed);
    }
    if (entry.problem.isEmpty()) {
      Optional<Rehearsal.Failure> failure = rehearsal.of(entry.bundle);
      if (failure.isPresent()) {
        return takeBack(change, entry, failure.get().problem());
      }
      change.stage("rehearsed");
    } else if (!inFolder) {
      return withdraw(change, entry);
    }
    if (!bundles.isStuck(entry.bundle)) {
      leases.readmit(entry.bundle.getBundleId());
    }
    if (entry.problem.isEmpty()) {
      probation.await(entry.bundle, Set.of()).ifPresent(entry::failed);
      if (!entry.problem.isEmpty() && !inFolder) {
        return withdraw(change, entry);
      }
    }
    return change.end(
        entry.problem.isEmpty(),
        entry.problem.isEmpty() ? "installed and started" : entry.problem,
        uses.gap(entry.bundle.getBundleId(), leases.leases()));
  }

  /** What does not even rehearse well is not left behind. */
  private Action takeBack(Transaction change, Installed entry, String problem) {
    ledger.refuse(entry.jar, Verdict.Kind.REFUSED, problem);
    ledger.remove(entry);
    try {
      bundles.retire(entry.bundle);
    } catch (BundleException e) {
      ledger.stuck(entry.jar, entry.bundle.getBundleId(), Reasons.plain(e));
    }
    return change.failed(problem);
  }

  /**
   * What was asked for and does not run is not left behind: unlike a jar of the folder, nothing
   * would bring it back after a restart.
   */
  private Action withdraw(Transaction change, Installed entry) {
    if (bundles.isStuck(entry.bundle)) {
      return change.failed(entry.problem);
    }
    if (!entry.state.equals("unresolved")) {
      return takeBack(change, entry, entry.problem);
    }
    // No verdict: it may be fine as soon as there is what it lacks.
    ledger.remove(entry);
    try {
      bundles.retire(entry.bundle);
    } catch (BundleException e) {
      ledger.stuck(entry.jar, entry.bundle.getBundleId(), Reasons.plain(e));
    }
    return change.failed(entry.problem);
  }

  /**
   * Installs what the folder holds when the host starts; no daemon runs yet that could use it.
   *
   * @param jars to install, in this order: of two modules with one kind and name the later is used
   */
  void installAll(Collection<ModuleJar> jars) {
    List<Installed> fresh = new ArrayList<>();
    for (ModuleJar jar : jars) {
      installStaged(jar).ifPresent(fresh::add);
    }
    bundles.resolve(fresh.stream().map(entry -> entry.bundle).toList());
    for (Installed entry : fresh) {
      if (!start(entry)) {
        goBack(entry);
      }
    }
  }

  /**
   * What took the process before this one down is skipped, and said to be. What came with the
   * distribution has been tried by those who made it: a host that is killed a few times soon after
   * its first start must not be left without all modules.
   */
  void skipDeadly() {
    state
        .journal()
        .deadly(signatures::isShipped)
        .forEach(
            (digest, ends) -> {
              kept(digest).ifPresent(jar -> skip(jar, ends));
              state.journal().survived(digest);
            });
  }

  private void skip(ModuleJar jar, int ends) {
    String problem =
        "the process ended "
            + (ends == 1 ? "" : ends + " times in a row ")
            + "while it was started or opened; it is skipped until somebody asks for it again";
    ledger.refuse(jar, Verdict.Kind.FATAL, problem);
    begin(jar, Optional.empty()).failed(problem);
  }

  private Optional<Installed> installStaged(ModuleJar jar) {
    Optional<Journal.Seat> before = state.journal().seat(jar.symbolicName());
    boolean news = before.filter(seat -> seat.digest().equals(jar.digest())).isEmpty();
    try {
      Path content = state.store().stage(jar.path(), jar.digest());
      Installed entry = new Installed(bundles.install(content, jar), jar, true);
      if (news) {
        before.ifPresent(seat -> keep(jar.symbolicName(), seat));
      }
      if (before.isPresent()) {
        // Not behind the others, of which some may never come: the order is that of before.
        ledger.restored(entry);
      } else {
        ledger.put(entry);
      }
      if (news) {
        begin(jar, before).end(true, "installed with the host", Duration.ZERO);
      }
      return Optional.of(entry);
    } catch (IOException | BundleException | RuntimeException e) {
      String problem = Reasons.plain(e);
      ledger.turnAway(jar, Ledger.UNREAD, problem);
      begin(jar, before).failed(jar.fileName() + " was refused: " + problem);
      return Optional.empty();
    }
  }

  /** What ran when the last process ended is gone back to when what came meanwhile fails. */
  private void keep(String symbolicName, Journal.Seat seat) {
    if (state.journal().verdict(seat.digest()).isEmpty() && stored(seat.digest()).isPresent()) {
      state.journal().served(symbolicName, seat.version(), seat.digest());
      state.journal().former(symbolicName, seat.digest());
    }
  }

  private Transaction begin(ModuleJar jar, Optional<Journal.Seat> before) {
    return history.begin(
        before.isEmpty() ? Action.Kind.INSTALL : Action.Kind.SWAP,
        History.HOST,
        jar.symbolicName(),
        before.map(Journal.Seat::version).orElse(""),
        jar.version().toString());
  }

  /** What was good before runs instead of what does not start with the host. */
  private void goBack(Installed failed) {
    ModuleJar jar = failed.jar;
    String problem = failed.problem;
    Transaction change = begin(jar, Optional.empty());
    Optional<ModuleJar> good = lastGood(jar.symbolicName(), jar.digest());
    if (good.isEmpty()) {
      change.failed(problem);
      return;
    }
    if (state.journal().verdict(jar.digest()).isEmpty()) {
      ledger.refuse(jar, Verdict.Kind.REFUSED, problem);
    }
    ledger.vacate(failed);
    try {
      if (!bundles.isStuck(failed.bundle)) {
        bundles.retire(failed.bundle);
      }
    } catch (BundleException e) {
      LOG.warn("{} is not removed: {}", Reasons.name(failed.bundle), Reasons.plain(e));
    }
    change.failed(problem + "; " + good.get().version() + ", the last that was good, runs instead");
    installStaged(good.get()).ifPresent(this::start);
  }

  /**
   * What to go back to from a digest, read from the store; empty when there is nothing, or nothing
   * that may be tried.
   */
  Optional<ModuleJar> lastGood(String symbolicName, String digest) {
    return state
        .journal()
        .good(symbolicName)
        .map(Good::digest)
        .filter(good -> !good.equals(digest) && state.journal().verdict(good).isEmpty())
        .flatMap(this::stored);
  }

  /**
   * What ran before a digest, or else what was good, read from the store; empty when there is
   * nothing that may be tried.
   */
  Optional<ModuleJar> former(String symbolicName, String digest) {
    return state
        .journal()
        .former(symbolicName)
        .filter(former -> !former.equals(digest) && state.journal().verdict(former).isEmpty())
        .flatMap(this::stored)
        .or(() -> lastGood(symbolicName, digest));
  }

  /**
   * What ran last of that name, or else what was good before, read from the store; empty when there
   * is nothing that may be tried.
   *
   * @param admitted whether this host takes a jar
   */
  Optional<ModuleJar> lastOf(String symbolicName, Predicate<ModuleJar> admitted) {
    return state
        .journal()
        .seat(symbolicName)
        .map(Journal.Seat::digest)
        .filter(digest -> state.journal().verdict(digest).isEmpty())
        .flatMap(this::stored)
        .filter(admitted)
        .or(() -> lastGood(symbolicName, "").filter(admitted));
  }

  /** A jar of the store that may run; empty when it is not there, or nobody trusted signed it. */
  Optional<ModuleJar> stored(String digest) {
    return kept(digest).filter(jar -> signatures.objection(jar).isEmpty());
  }

  private Optional<ModuleJar> kept(String digest) {
    try {
      return state.store().holds(digest)
          ? Optional.of(ModuleJar.read(state.store().file(digest), 0))
          : Optional.empty();
    } catch (IOException e) {
      LOG.warn("{} cannot be read", state.store().file(digest), e);
      return Optional.empty();
    }
  }

  /** What was installed when the last process ended, by what the journal says. */
  List<ModuleJar> lastInstalled() {
    List<ModuleJar> jars = new ArrayList<>();
    for (Map.Entry<String, Journal.Seat> seat : state.journal().seats().entrySet()) {
      if (state.journal().verdict(seat.getValue().digest()).isEmpty()) {
        stored(seat.getValue().digest()).ifPresent(jars::add);
      }
    }
    return jars;
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
      bundles.startMarked(entry.bundle, entry.jar);
      entry.active();
      return true;
    } catch (HangsException e) {
      entry.failed(Reasons.plain(e));
      ledger.refuse(entry.jar, Verdict.Kind.HUNG, entry.problem);
      ledger.stuck(entry.jar, entry.bundle.getBundleId(), entry.problem);
      ledger.vacate(entry);
      return false;
    } catch (BundleException e) {
      entry.notStarted(bundles.notStarted(entry.bundle, e));
      return false;
    }
  }
}
