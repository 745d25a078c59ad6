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
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
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
  private final Journal journal;
  private final BundleStore store;
  private final History history;

  RequestedChanges(
      Optional<ModuleFolder> folder,
      Ledger ledger,
      Changes changes,
      StateFolder state,
      History history) {
    this.folder = folder;
    this.ledger = ledger;
    this.changes = changes;
    this.journal = state.journal();
    this.store = state.store();
    this.history = history;
  }

  /**
   * Installs a jar and puts it into the folder.
   *
   * @param fileName its name in the folder, if no other module has it
   * @param mustExist whether it has to replace something
   * @param principal who asks
   */
  Action install(Path source, String fileName, boolean mustExist, String principal) {
    Kind kind = mustExist ? Kind.SWAP : Kind.INSTALL;
    ModuleJar jar;
    try {
      jar = ModuleJar.read(source, System.currentTimeMillis());
    } catch (IOException | RuntimeException e) {
      return history
          .begin(kind, principal, fileName, "", "")
          .failed(source + " cannot be installed: " + Reasons.plain(e));
    }
    Installed old = ledger.installed(jar.symbolicName());
    String version = jar.version().toString();
    if (mustExist && old == null) {
      return history
          .begin(kind, principal, jar.symbolicName(), "", version)
          .failed("no installed module has that symbolic name; install it instead");
    }
    if (old != null && old.problem.isEmpty() && old.jar.digest().equals(jar.digest())) {
      return history
          .begin(Kind.INSTALL, principal, jar.symbolicName(), version, version)
          .end(true, "exactly this jar is installed already", Duration.ZERO);
    }
    Optional<String> objection = changes.objection(jar).or(() -> changes.dropped(jar));
    if (objection.isPresent()) {
      return history
          .begin(principal, jar, old)
          .failed(objection.get() + (old == null ? "" : "; " + old.version() + " stays"));
    }
    journal.pardon(jar.digest());
    Action action = changes.deploy(jar, false, principal);
    if (!action.succeeded() || folder.isEmpty()) {
      return action;
    }
    try {
      intoFolder(store.file(jar.digest()), source, jar, fileName);
      return action;
    } catch (IOException | UncheckedIOException e) {
      LOG.warn(
          "{} runs, but cannot be kept in {}: it will be gone after a restart",
          jar.symbolicName(),
          folder.get().dir(),
          e);
      return action;
    }
  }

  /** Makes the folder say what is installed: the new jar, and no other of that symbolic name. */
  private void intoFolder(Path staged, Path source, ModuleJar jar, String fileName)
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
    Path target =
        dir.resolve(
            taken || !fileName.endsWith(".jar")
                ? jar.symbolicName() + "-" + jar.version() + ".jar"
                : fileName);
    if (!target.equals(source.toAbsolutePath())) {
      Path partial = dir.resolve("." + target.getFileName() + ".part");
      Files.copy(staged, partial, StandardCopyOption.REPLACE_EXISTING);
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    }
    Installed entry = ledger.installed(jar.symbolicName());
    entry.jar = jar.at(target);
    entry.inFolder = true;
    for (ModuleJar sibling : siblings) {
      if (!sibling.path().equals(target)) {
        Files.deleteIfExists(sibling.path());
      }
    }
  }

  Action uninstall(String symbolicName, String principal) {
    Installed entry = ledger.installed(symbolicName);
    if (entry == null) {
      return history
          .begin(Kind.UNINSTALL, principal, symbolicName, "", "")
          .failed(
              "no module bundle has that symbolic name; installed are "
                  + String.join(", ", ledger.names()));
    }
    Optional<String> needed = changes.neededBy(entry);
    if (needed.isPresent()) {
      return history
          .begin(Kind.UNINSTALL, principal, symbolicName, entry.version(), "")
          .failed(needed.get() + "; uninstall that first, nothing was changed");
    }
    ledger.removedByRequest(symbolicName);
    return changes.remove(
        entry, folder.map(hot -> deleteJars(hot, symbolicName)).orElse("removed"), principal);
  }

  private static String deleteJars(ModuleFolder hot, String symbolicName) {
    try {
      for (ModuleJar jar : hot.readable()) {
        if (jar.symbolicName().equals(symbolicName)) {
          Files.deleteIfExists(jar.path());
        }
      }
      return "removed";
    } catch (IOException e) {
      LOG.warn("The jar of {} cannot be deleted from {}", symbolicName, hot.dir(), e);
      return "removed, but its jar in " + hot.dir() + " stays: after a restart it is back";
    }
  }
}
