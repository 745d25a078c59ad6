package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleFolder;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Journal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes what is installed agree with the module folder. */
final class FolderFollower {
  private static final Logger LOG = LoggerFactory.getLogger(FolderFollower.class);

  private final ModuleFolder folder;
  private final Ledger ledger;
  private final Installation installation;
  private final Changes changes;
  private final Journal journal;
  private final Supplier<Settings> settings;

  /** What was said of jars that stay as they are, so that it is said once for each arrival. */
  private final Set<String> told = new HashSet<>();

  private boolean unreadable;

  FolderFollower(
      ModuleFolder folder,
      Ledger ledger,
      Installation installation,
      Changes changes,
      Journal journal,
      Supplier<Settings> settings) {
    this.folder = folder;
    this.ledger = ledger;
    this.installation = installation;
    this.changes = changes;
    this.journal = journal;
    this.settings = settings;
  }

  /** Installs what is there when the host starts, in the order in which it was installed before. */
  void installFirst() {
    try {
      Files.createDirectories(folder.dir());
      ledger.looked(folder.look(true));
    } catch (IOException e) {
      LOG.error("The module folder {} cannot be read; what ran before runs again", folder.dir(), e);
      installation.installAll(installation.lastInstalled());
      return;
    }
    Map<String, ModuleJar> chosen = choose();
    Set<String> names = names();
    forgetAbsent(names);
    for (String name : names) {
      if (!chosen.containsKey(name)) {
        installation
            .lastOf(name, jar -> changes.objection(jar).isEmpty())
            .ifPresent(last -> chosen.put(name, last));
      }
    }
    installation.installAll(
        chosen.values().stream()
            .sorted(
                Comparator.<ModuleJar>comparingLong(
                        jar ->
                            journal
                                .seat(jar.symbolicName())
                                .map(Journal.Seat::number)
                                .orElse(Long.MAX_VALUE))
                    .thenComparing(ModuleJar::symbolicName))
            .toList());
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
    Map<String, ModuleJar> chosen = choose();
    Set<String> names = names();
    ledger.wanted(names);
    for (Installed entry : ledger.installed()) {
      followPresence(entry, names);
    }
    chosen.keySet().removeIf(ledger::wasRemovedByRequest);
    // An older jar of the same name is nothing to go back to while the newer one is exchanged.
    Set<String> coming = coming();
    chosen.keySet().removeIf(name -> ledger.installed(name) != null && coming.contains(name));
    for (ModuleJar jar : neededFirst(chosen)) {
      followContent(jar, chosen);
    }
    forgetAbsent(names);
  }

  /** Jars that others of them need come before these. */
  private static List<ModuleJar> neededFirst(Map<String, ModuleJar> jars) {
    Set<ModuleJar> ordered = new LinkedHashSet<>();
    jars.values().forEach(jar -> add(jar, jars, new HashSet<>(), ordered));
    return List.copyOf(ordered);
  }

  private static void add(
      ModuleJar jar, Map<String, ModuleJar> jars, Set<ModuleJar> above, Set<ModuleJar> ordered) {
    if (above.add(jar)) {
      for (ModuleJar other : jars.values()) {
        if (other != jar && !ordered.contains(other) && other.serves(jar)) {
          add(other, jars, above, ordered);
        }
      }
      ordered.add(jar);
    }
  }

  /**
   * The symbolic names that the folder wants something of: those of its jars, and those that files
   * which cannot be read now had. A jar that is cut off takes nothing away.
   */
  private Set<String> names() {
    Set<String> names =
        ledger.look().jars().stream().map(ModuleJar::symbolicName).collect(Collectors.toSet());
    undecided().forEach(file -> names.addAll(journal.held(file)));
    return names;
  }

  /** The symbolic names that files had which are being copied. */
  private Set<String> coming() {
    Set<String> names = new HashSet<>();
    ledger
        .look()
        .copying()
        .forEach(file -> names.addAll(journal.held(file.getFileName().toString())));
    return names;
  }

  /** The names of files of which nobody knows now what they are going to be. */
  private Set<String> undecided() {
    Set<String> files = new HashSet<>();
    ledger.look().copying().forEach(file -> files.add(file.getFileName().toString()));
    ledger.look().unreadable().keySet().forEach(file -> files.add(file.getFileName().toString()));
    return files;
  }

  /** What nobody wants is not gone back to, unless it may be what is being copied. */
  private void forgetAbsent(Set<String> names) {
    if (ledger.look().copying().isEmpty()) {
      for (String name : journal.seats().keySet()) {
        if (!names.contains(name) && ledger.installed(name) == null) {
          journal.unseat(name);
        }
      }
    }
  }

  /**
   * Of several jars with one symbolic name the one of the latest generation; of those that came
   * together the highest version, and of those with one version the last by the file's name. What
   * must not run is passed over. Says of each other jar why it is not deployed.
   */
  private Map<String, ModuleJar> choose() {
    Map<String, Journal.Content> contents = new HashMap<>();
    List<ModuleJar> jars = new ArrayList<>(ledger.look().jars());
    jars.forEach(
        jar -> contents.put(jar.fileName(), new Journal.Content(jar.digest(), jar.symbolicName())));
    journal.present(contents, undecided());
    jars.sort(
        Comparator.<ModuleJar>comparingLong(jar -> journal.generation(jar.fileName(), jar.digest()))
            .thenComparing(ModuleJar::version)
            .thenComparing(ModuleJar::fileName)
            .reversed());
    Map<String, ModuleJar> chosen = new TreeMap<>();
    Set<String> lines = new HashSet<>();
    for (ModuleJar jar : jars) {
      ModuleJar better = chosen.get(jar.symbolicName());
      if (better != null) {
        tell(
            lines,
            jar,
            better.fileName()
                + " with the same symbolic name came later, or is of a higher version; delete one"
                + " of them");
        continue;
      }
      if (mayRun(lines, jar)) {
        chosen.put(jar.symbolicName(), jar);
      }
    }
    told.retainAll(lines);
    return chosen;
  }

  private boolean mayRun(Set<String> lines, ModuleJar jar) {
    if (ledger.wasRemovedByRequest(jar.symbolicName())) {
      tell(
          lines,
          jar,
          "it was uninstalled by request; delete it and put it there again, or install it by"
              + " request");
      return false;
    }
    Optional<Verdict> verdict = ledger.verdict(jar);
    if (verdict.isPresent()) {
      Verdict passed = verdict.get();
      if (!ledger.isSameArrival(jar)) {
        tell(
            lines,
            jar,
            "the same content was "
                + passed.kind().word()
                + " before ("
                + passed.reason()
                + ") and is not tried again until it changes, or somebody asks for it");
      }
      ledger.turnAway(jar, passed.kind().word(), passed.reason());
      return false;
    }
    Optional<String> objection = changes.objection(jar);
    if (objection.isPresent()) {
      changes.turnAway(jar, History.FOLDER, objection.get());
      return false;
    }
    if (ledger.isOverridden(jar)) {
      return true;
    }
    Optional<String> dropped = changes.dropped(jar);
    dropped.ifPresent(why -> changes.refuse(jar, History.FOLDER, why));
    return dropped.isEmpty();
  }

  /** A log line, once for each arrival, for a jar that lies in the folder and does not run. */
  private void tell(Set<String> lines, ModuleJar jar, String why) {
    String line = jar.fileName() + jar.arrivedMillis() + why;
    lines.add(line);
    if (told.add(line)) {
      LOG.warn("{} is not deployed: {}", jar.path(), why);
    }
  }

  /** Something is on its way in or out, so that the next look should come soon. */
  boolean unsettled() {
    return !ledger.look().copying().isEmpty()
        || ledger.installed().stream().anyMatch(entry -> entry.absentLooks > 0);
  }

  private void followContent(ModuleJar jar, Map<String, ModuleJar> chosen) {
    Installed entry = ledger.installed(jar.symbolicName());
    if (entry != null && entry.jar.digest().equals(jar.digest())) {
      ledger.agreed(entry, jar);
    } else if (!ledger.isOverridden(jar)
        && !ledger.failedToStage(jar)
        && !mayBelongToWhatComes(jar)) {
      // While a file of the folder is being copied the one it replaces stays as it is.
      changes.deploy(jar, true, History.FOLDER, chosen);
    }
  }

  /** Whether something is being copied that a jar may need or be needed by. */
  private boolean mayBelongToWhatComes(ModuleJar jar) {
    return !ledger.look().copying().isEmpty()
        && ledger.known().stream().anyMatch(other -> other.serves(jar) || jar.serves(other));
  }

  private void followPresence(Installed entry, Set<String> names) {
    if (!entry.inFolder) {
      return;
    }
    if (names.contains(entry.jar.symbolicName())) {
      entry.absentLooks = 0;
      entry.notice = "";
      return;
    }
    boolean somethingComes = !ledger.look().copying().isEmpty();
    if (entry.absentLooks == 0) {
      entry.absentSinceNanos = System.nanoTime();
    }
    entry.absentLooks++;
    long absent = System.nanoTime() - entry.absentSinceNanos;
    if (entry.absentLooks >= 2
        && !somethingComes
        && absent >= TimeUnit.MILLISECONDS.toNanos(settings.get().settleMillis())) {
      Optional<String> needed = changes.neededBy(entry);
      if (needed.isPresent()) {
        stays(entry, needed.get());
        return;
      }
      changes.remove(entry, "its jar was deleted from the module folder", History.FOLDER);
    }
  }

  private static void stays(Installed entry, String why) {
    String notice =
        "its jar was deleted from the module folder, but "
            + why
            + ", so that it stays until nothing does or this process ends";
    if (!entry.notice.equals(notice)) {
      entry.notice = notice;
      LOG.warn("{} stays: {}", entry.name(), notice);
    }
  }
}
