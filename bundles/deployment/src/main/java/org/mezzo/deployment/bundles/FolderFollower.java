package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.mezzo.deployment.folder.ModuleFolder;
import org.mezzo.deployment.folder.ModuleJar;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes what is installed agree with the module folder. */
final class FolderFollower {
  private static final Logger LOG = LoggerFactory.getLogger(FolderFollower.class);

  private final ModuleFolder folder;
  private final Ledger ledger;
  private final Installation installation;
  private final Changes changes;
  private final Supplier<Settings> settings;

  FolderFollower(
      ModuleFolder folder,
      Ledger ledger,
      Installation installation,
      Changes changes,
      Supplier<Settings> settings) {
    this.folder = folder;
    this.ledger = ledger;
    this.installation = installation;
    this.changes = changes;
    this.settings = settings;
  }

  /** Installs what is there when the host starts. */
  void installFirst() {
    try {
      Files.createDirectories(folder.dir());
      ledger.looked(folder.look(true));
    } catch (IOException e) {
      LOG.error(
          "The module folder {} cannot be read; no module is installed from it", folder.dir(), e);
      return;
    }
    installation.installAll(wanted(ledger.look().jars()).values());
  }

  void follow() {
    try {
      ledger.looked(folder.look(false));
    } catch (IOException e) {
      LOG.debug("The module folder {} cannot be read now", folder.dir(), e);
      return;
    }
    Map<String, ModuleJar> wanted = wanted(ledger.look().jars());
    ledger.wanted(wanted.keySet());
    for (Installed entry : ledger.installed()) {
      followPresence(entry, wanted);
    }
    for (ModuleJar jar : wanted.values()) {
      if (!ledger.wasRemovedByRequest(jar.symbolicName())) {
        followContent(jar);
      }
    }
  }

  /** Something is on its way in or out, so that the next look should come soon. */
  boolean unsettled() {
    return !ledger.look().copying().isEmpty()
        || ledger.installed().stream().anyMatch(entry -> entry.absentLooks > 0);
  }

  private void followContent(ModuleJar jar) {
    Installed entry = ledger.installed(jar.symbolicName());
    if (entry != null && entry.jar.digest().equals(jar.digest())) {
      ledger.agreed(entry, jar);
    } else if (!ledger.isRefused(jar)) {
      // While a file of the folder is being copied the one it replaces stays as it is.
      changes.deploy(jar.path(), jar, true);
    }
  }

  private void followPresence(Installed entry, Map<String, ModuleJar> wanted) {
    if (!entry.inFolder || wanted.containsKey(entry.jar.symbolicName())) {
      entry.absentLooks = 0;
      return;
    }
    boolean somethingComes =
        !ledger.look().copying().isEmpty()
            || ledger.look().unreadable().containsKey(entry.jar.path());
    if (entry.absentLooks == 0) {
      entry.absentSinceNanos = System.nanoTime();
    }
    entry.absentLooks++;
    long absent = System.nanoTime() - entry.absentSinceNanos;
    if (entry.absentLooks >= 2
        && !somethingComes
        && absent >= TimeUnit.MILLISECONDS.toNanos(settings.get().settleMillis())) {
      changes.remove(entry, "its jar was deleted from the module folder");
    }
  }

  /**
   * Of several jars with one symbolic name the one that came last; of those that came together the
   * highest version.
   */
  private static Map<String, ModuleJar> wanted(Collection<ModuleJar> jars) {
    Map<String, ModuleJar> wanted = new TreeMap<>();
    Comparator<ModuleJar> later =
        Comparator.comparingLong((ModuleJar jar) -> jar.arrivedMillis() / 1000)
            .thenComparing(ModuleJar::version)
            .thenComparingLong(ModuleJar::arrivedMillis);
    for (ModuleJar jar : jars) {
      wanted.merge(jar.symbolicName(), jar, (a, b) -> later.compare(a, b) >= 0 ? a : b);
    }
    return wanted;
  }
}
