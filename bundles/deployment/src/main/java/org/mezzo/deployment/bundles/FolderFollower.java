package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
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

  /** What was said of jars that stay as they are, so that it is said once for each arrival. */
  private final Set<String> told = new HashSet<>();

  private boolean unreadable;

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
      unreadable = false;
    } catch (IOException e) {
      if (!unreadable) {
        LOG.warn(
            "The module folder {} cannot be read: what changes there is not followed until it can"
                + " be ({})",
            folder.dir(),
            e.toString());
      }
      unreadable = true;
      return;
    }
    Map<String, ModuleJar> wanted = wanted(ledger.look().jars());
    tellOfTheRest(wanted);
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

  /** A log line for each jar that lies in the folder and is not what is installed. */
  private void tellOfTheRest(Map<String, ModuleJar> wanted) {
    Set<String> current = new HashSet<>();
    for (ModuleJar jar : ledger.look().jars()) {
      ModuleJar taken = wanted.get(jar.symbolicName());
      String why = null;
      if (taken != jar) {
        why =
            taken.fileName()
                + " with the same symbolic name came later, or is of a higher version; delete one"
                + " of them";
      } else if (ledger.wasRemovedByRequest(jar.symbolicName())) {
        why =
            "it was uninstalled by request; delete it and put it there again, or install it by"
                + " request";
      } else if (ledger.isRefused(jar) && !ledger.isSameArrival(jar)) {
        why =
            "the same content was refused before ("
                + ledger.problem(jar)
                + ") and is not tried again until it changes";
      }
      if (why != null) {
        String line = jar.fileName() + jar.arrivedMillis() + why;
        current.add(line);
        if (told.add(line)) {
          LOG.warn("{} is not deployed: {}", jar.path(), why);
        }
      }
    }
    told.retainAll(current);
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
