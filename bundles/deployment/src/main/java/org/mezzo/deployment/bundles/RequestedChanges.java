package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.Deployments.Condition;
import org.mezzo.deployment.Verification;
import org.mezzo.deployment.folder.DeclaredModule;
import org.mezzo.deployment.folder.ModuleFolder;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.deployment.journal.StateFolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Changes that somebody asks for, which the module folder then follows. */
final class RequestedChanges {
  private static final Logger LOG = LoggerFactory.getLogger(RequestedChanges.class);

  private final Optional<ModuleFolder> folder;
  private final Ledger ledger;
  private final Changes changes;
  private final ModuleBundles bundles;
  private final Installation installation;
  private final Journal journal;
  private final BundleStore store;
  private final History history;

  RequestedChanges(
      Optional<ModuleFolder> folder,
      Ledger ledger,
      Changes changes,
      ModuleBundles bundles,
      Installation installation,
      StateFolder state,
      History history) {
    this.folder = folder;
    this.ledger = ledger;
    this.changes = changes;
    this.bundles = bundles;
    this.installation = installation;
    this.journal = state.journal();
    this.store = state.store();
    this.history = history;
  }

  /**
   * Installs a jar and puts it into the folder.
   *
   * @param fileName its name in the folder, if no other module has it
   * @param conditions what else has to be so
   * @param principal who asks
   */
  Action install(Path source, String fileName, Set<Condition> conditions, String principal) {
    boolean mustExist = conditions.contains(Condition.REPLACES);
    Kind kind = mustExist ? Kind.SWAP : Kind.INSTALL;
    ModuleJar jar;
    try {
      jar = ModuleJar.read(source, System.currentTimeMillis());
    } catch (IOException | RuntimeException e) {
      return history
          .begin(kind, principal, fileName, "", "")
          .failed(fileName + " cannot be installed: " + Reasons.plain(e));
    }
    Installed old = ledger.installed(jar.symbolicName());
    String version = jar.version().toString();
    if (mustExist && old == null) {
      return history
          .begin(kind, principal, jar.symbolicName(), "", version)
          .failed("no installed module has that symbolic name; install it instead");
    }
    if (old != null && old.problem.isEmpty() && old.jar.digest().equals(jar.digest())) {
      Transaction change =
          history.begin(Kind.INSTALL, principal, jar.symbolicName(), version, version);
      if (!old.inFolder) {
        change.lastStep(() -> keep(source, jar, fileName));
      }
      return change.end(true, "exactly this jar is installed already", Duration.ZERO);
    }
    Optional<String> objection = objection(jar);
    if (objection.isEmpty() && conditions.contains(Condition.NOT_LOWER)) {
      objection = lower(jar, old);
    }
    if (objection.isPresent()) {
      return history
          .begin(principal, jar, old)
          .failed(objection.get() + (old == null ? "" : "; " + old.version() + " stays"));
    }
    journal.pardon(jar.digest());
    return changes.deploy(jar, principal, () -> keep(source, jar, fileName));
  }

  /** What speaks against a jar; empty when nothing does. */
  private Optional<String> objection(ModuleJar jar) {
    return changes.objection(jar).or(() -> changes.dropped(jar));
  }

  /** That a jar is of a lower version than what is installed, which may be null. */
  private static Optional<String> lower(ModuleJar jar, Installed old) {
    return old == null || jar.version().compareTo(old.bundle.getVersion()) >= 0
        ? Optional.empty()
        : Optional.of(
            "its version %s is lower than the %s that is installed; swap it if you want that, or roll back to what ran before"
                .formatted(jar.version(), old.version()));
  }

  /** Says what would become of a jar. */
  Verification verify(Path source, String fileName) {
    ModuleJar jar;
    try {
      jar = ModuleJar.read(source, System.currentTimeMillis());
    } catch (IOException | RuntimeException e) {
      return new Verification(
          fileName, "", "", "", List.of(), "", "", List.of(Reasons.plain(e)), List.of());
    }
    Installed old = ledger.installed(jar.symbolicName());
    List<String> problems = new ArrayList<>();
    objection(jar).ifPresent(problems::add);
    if (problems.isEmpty()) {
      bundles
          .lacking(source, jar, Optional.ofNullable(old).map(entry -> entry.bundle))
          .ifPresent(problems::add);
    }
    return new Verification(
        fileName,
        jar.symbolicName(),
        jar.version().toString(),
        jar.digest(),
        jar.modules().stream().map(DeclaredModule::title).sorted().toList(),
        old == null ? "" : old.version(),
        change(jar, old),
        problems,
        notes(jar, old));
  }

  /** What would be done with a jar beside what is installed, which may be null. */
  private static String change(ModuleJar jar, Installed old) {
    if (old == null) {
      return "install";
    }
    if (old.jar.digest().equals(jar.digest())) {
      return "none";
    }
    return old.bundle.getVersion().equals(jar.version()) ? "update" : "swap";
  }

  private List<String> notes(ModuleJar jar, Installed old) {
    List<String> notes = new ArrayList<>();
    lower(jar, old).ifPresent(notes::add);
    journal
        .verdict(jar.digest())
        .ifPresent(
            verdict ->
                notes.add(
                    "exactly this jar was %s before: %s; it is tried again when somebody asks for it"
                        .formatted(verdict.kind().word(), verdict.reason())));
    if (change(jar, old).equals("update")) {
      notes.add(
          "it has the version that is installed and other content: daemons are without its modules"
              + " while it is replaced; give it another version for a swap without a gap");
    }
    for (Installed other : ledger.installed()) {
      if (!other.jar.symbolicName().equals(jar.symbolicName())) {
        for (DeclaredModule module : jar.modules()) {
          if (other.modules.contains(module.title())) {
            notes.add(
                "%s has the module %s, too; what is installed later is used"
                    .formatted(other.name(), module.title()));
          }
        }
      }
    }
    return notes;
  }

  /** Goes back to what ran before. */
  Action rollback(String symbolicName, String principal) {
    Installed current = ledger.installed(symbolicName);
    if (current == null) {
      return history.begin(Kind.SWAP, principal, symbolicName, "", "").failed(notInstalled());
    }
    Optional<ModuleJar> former = installation.former(symbolicName, current.jar.digest());
    Optional<String> objection =
        former.isEmpty()
            ? Optional.of(
                "no other version ran before that is still kept and may run; history and verdicts"
                    + " tell why")
            : objection(former.get());
    if (objection.isPresent()) {
      return history
          .begin(Kind.SWAP, principal, symbolicName, current.version(), "")
          .failed(objection.get() + "; " + current.version() + " stays");
    }
    ModuleJar jar = former.get();
    return changes.rollBack(
        current,
        jar,
        principal,
        () -> keep(jar.path(), jar, jar.symbolicName() + "-" + jar.version() + ".jar"));
  }

  private String notInstalled() {
    return "no module bundle has that symbolic name; installed are "
        + String.join(", ", ledger.names());
  }

  /** Has the folder hold what runs; says what an operator has to know about that. */
  private String keep(Path source, ModuleJar jar, String fileName) {
    if (folder.isEmpty()) {
      return "";
    }
    try {
      return intoFolder(store.file(jar.digest()), source, jar, fileName);
    } catch (IOException | UncheckedIOException e) {
      LOG.debug("{} is not kept", jar.symbolicName(), e);
      Installed entry = ledger.installed(jar.symbolicName());
      String problem =
          "runs, but cannot be kept in %s (%s): it is gone when this host stops. Make that folder writable and ask for it again, or put the jar there"
              .formatted(folder.get().dir(), Reasons.plain(e));
      entry.override(
          ledger.look().jars().stream()
              .filter(there -> there.symbolicName().equals(jar.symbolicName()))
              .map(ModuleJar::digest)
              .collect(Collectors.toSet()),
          "it " + problem);
      return "; it " + problem;
    }
  }

  /**
   * Makes the folder say what is installed: the new jar, and no other of that symbolic name.
   *
   * @return what is left to do there for the operator; empty when nothing is
   */
  private String intoFolder(Path staged, Path source, ModuleJar jar, String fileName)
      throws IOException {
    ModuleFolder hot = folder.orElseThrow();
    Path dir = hot.dir();
    List<ModuleJar> siblings = new ArrayList<>();
    boolean taken = false;
    for (ModuleJar present : hot.readable()) {
      if (present.symbolicName().equals(jar.symbolicName())) {
        siblings.add(present);
      } else {
        taken |= present.fileName().equals(fileName);
      }
    }
    Path target = dir.resolve(taken ? jar.symbolicName() + "-" + jar.version() + ".jar" : fileName);
    if (!target.equals(source.toAbsolutePath())) {
      Path partial = dir.resolve("." + target.getFileName() + ".part");
      try {
        Files.copy(staged, partial, StandardCopyOption.REPLACE_EXISTING);
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        deleted(partial);
      }
    }
    ledger.installed(jar.symbolicName()).inFolderAs(jar.at(target));
    List<String> left =
        siblings.stream()
            .map(ModuleJar::path)
            .filter(path -> !path.equals(target) && !deleted(path))
            .map(Path::toString)
            .toList();
    return left.isEmpty()
        ? ""
        : "; delete what it replaces, which cannot be deleted from here: "
            + String.join(", ", left);
  }

  private static boolean deleted(Path file) {
    try {
      Files.deleteIfExists(file);
      return true;
    } catch (IOException e) {
      LOG.warn("{} cannot be deleted: {}", file, e.toString());
      return false;
    }
  }

  Action uninstall(String symbolicName, String principal) {
    Installed entry = ledger.installed(symbolicName);
    if (entry == null) {
      return history.begin(Kind.UNINSTALL, principal, symbolicName, "", "").failed(notInstalled());
    }
    Optional<String> needed = changes.neededBy(entry);
    if (needed.isPresent()) {
      return history
          .begin(Kind.UNINSTALL, principal, symbolicName, entry.version(), "")
          .failed(needed.get() + "; uninstall that first, nothing was changed");
    }
    return changes.remove(
        entry, folder.map(hot -> deleteJars(hot, symbolicName)).orElse("removed"), principal);
  }

  /** A jar that comes after its own was deleted is wanted, however soon it comes. */
  private String deleteJars(ModuleFolder hot, String symbolicName) {
    try {
      for (ModuleJar jar : hot.readable()) {
        if (jar.symbolicName().equals(symbolicName)) {
          Files.deleteIfExists(jar.path());
        }
      }
      return "removed";
    } catch (IOException e) {
      ledger.removedByRequest(symbolicName);
      LOG.warn("The jar of {} cannot be deleted from {}", symbolicName, hot.dir(), e);
      return "removed, but its jar in " + hot.dir() + " stays: after a restart it is back";
    }
  }
}
