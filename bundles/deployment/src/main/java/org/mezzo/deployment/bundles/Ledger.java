package org.mezzo.deployment.bundles;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleFolder.Look;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Journal;
import org.osgi.framework.Bundle;

/**
 * What is installed, what was refused and what the module folder holds. Only deployment's thread
 * changes it; what it published can be read by any.
 */
final class Ledger {
  /** A jar that is wanted and does not run; word and problem as in "it was refused: why". */
  record Refused(ModuleJar jar, String word, String problem) {}

  /** A bundle that cannot be stopped in this process. */
  private record Stuck(ModuleJar jar, long bundleId, String problem) {}

  /** The word for a jar that could not be read when it was to be installed. */
  static final String UNREAD = "not read";

  private final DeclaredModules modules;
  private final Journal journal;
  private final Predicate<String> shipped;
  private final BooleanSupplier stopping;
  private final Map<String, Installed> installed = new ConcurrentSkipListMap<>();

  /** The last that was refused, by symbolic name. */
  private final Map<String, Refused> refused = new HashMap<>();

  /** What lies in the folder and was refused, by where it lies: several may have one name. */
  private final Map<Path, Refused> arrivals = new TreeMap<>();

  private final Set<String> removedByRequest = new HashSet<>();
  private final List<Stuck> stuck = new ArrayList<>();
  private Look look = new Look(List.of(), Set.of(), Map.of());
  private volatile List<Deployment> published = List.of();

  /**
   * Empty.
   *
   * @param shipped whether a digest came with the distribution
   * @param stopping whether the host stops, so that no failure is a bundle's own
   */
  Ledger(
      DeclaredModules modules,
      Journal journal,
      Predicate<String> shipped,
      BooleanSupplier stopping) {
    this.shipped = shipped;
    this.modules = modules;
    this.journal = journal;
    this.stopping = stopping;
  }

  /** The installed bundle of that symbolic name; null when there is none. */
  Installed installed(String symbolicName) {
    return installed.get(symbolicName);
  }

  /** All, as they are now. */
  List<Installed> installed() {
    return List.copyOf(installed.values());
  }

  Set<String> names() {
    return installed.keySet();
  }

  /** A bundle is installed after all others. */
  void put(Installed entry) {
    ModuleJar jar = entry.jar;
    installed.put(jar.symbolicName(), entry);
    journal.seatLast(jar.symbolicName(), jar.version().toString(), jar.digest());
  }

  /** A bundle that has a place among the others, of before or of its successor, runs again. */
  void restored(Installed entry) {
    ModuleJar jar = entry.jar;
    installed.put(jar.symbolicName(), entry);
    journal.seat(jar.symbolicName(), jar.version().toString(), jar.digest());
  }

  /** What needs a bundle, directly or not; those that others need come first. */
  List<Installed> dependents(Installed entry) {
    List<Installed> dependents = new ArrayList<>();
    for (Bundle bundle : Wiring.dependents(entry.bundle)) {
      installed.values().stream()
          .filter(other -> other.bundle.equals(bundle))
          .forEach(dependents::add);
    }
    return dependents;
  }

  /** The successions in which any of these bundles is kept to go back to. */
  Set<Succession> successions(List<Bundle> formers) {
    Set<Succession> successions = new HashSet<>();
    for (Installed entry : installed.values()) {
      if (entry.succession != null
          && entry.succession.formers.stream()
              .anyMatch(former -> formers.contains(former.bundle))) {
        successions.add(entry.succession);
      }
    }
    return successions;
  }

  /** An installed bundle has other content. */
  void replaced(Installed entry, ModuleJar jar) {
    entry.replaced(jar);
    journal.seat(jar.symbolicName(), jar.version().toString(), jar.digest());
  }

  /** A bundle is gone, and nobody wants it back. */
  void remove(Installed entry) {
    installed.remove(entry.jar.symbolicName());
    journal.unseat(entry.jar.symbolicName());
  }

  /** A bundle is gone; something of its name will take its place. */
  void vacate(Installed entry) {
    installed.remove(entry.jar.symbolicName());
  }

  /** Passes a verdict about what a jar did when it ran; it lasts until somebody asks again. */
  void refuse(ModuleJar jar, Verdict.Kind kind, String problem) {
    if (!stopping.getAsBoolean()) {
      journal.pass(
          new Verdict(
              jar.digest(),
              jar.symbolicName(),
              jar.version().toString(),
              kind,
              problem,
              Instant.now()));
      // Whatever ends the process from now on, this did not.
      journal.survived(jar.digest());
    }
    note(new Refused(jar, kind.word(), problem));
  }

  /** Passes a verdict about a jar that ends the process; on the thread that sees the end. */
  void convict(ModuleJar jar, String what) {
    journal.pass(
        new Verdict(
            jar.digest(),
            jar.symbolicName(),
            jar.version().toString(),
            Verdict.Kind.FATAL,
            what + "; it is skipped until somebody asks for it again",
            Instant.now()));
  }

  /**
   * Notes why a jar does not run, without a verdict that would outlast the reason.
   *
   * @return whether that is news
   */
  boolean turnAway(ModuleJar jar, String word, String problem) {
    Refused before = note(new Refused(jar, word, problem));
    return before == null
        || !before.jar.digest().equals(jar.digest())
        || !before.problem.equals(problem);
  }

  /** Returns what was noted of that place before; null when nothing was. */
  private Refused note(Refused word) {
    refused.put(word.jar.symbolicName(), word);
    return arrivals.put(word.jar.path(), word);
  }

  /** The verdict about a jar, if there is one. */
  Optional<Verdict> verdict(ModuleJar jar) {
    return journal.verdict(jar.digest());
  }

  /** Whether a refused jar lies where it lay when it was refused, and has not come again. */
  boolean isSameArrival(ModuleJar jar) {
    Refused last = arrivals.get(jar.path());
    return last != null && last.jar.arrivedMillis() == jar.arrivedMillis();
  }

  /** Whether a jar could not be read when it was to be installed, and has not come again since. */
  boolean failedToStage(ModuleJar jar) {
    Refused last = arrivals.get(jar.path());
    return last != null && last.word.equals(UNREAD) && isSameArrival(jar);
  }

  /** Whether a jar of the folder does not run because another one was asked for. */
  boolean isOverridden(ModuleJar jar) {
    Installed entry = installed.get(jar.symbolicName());
    return entry != null && entry.overrides.contains(jar.digest());
  }

  /** What the folder has is what is installed. */
  void agreed(Installed entry, ModuleJar jar) {
    entry.inFolderAs(jar);
    Refused better = refused.get(jar.symbolicName());
    if (better != null && !lies(better.jar)) {
      refused.remove(jar.symbolicName());
    }
  }

  private boolean lies(ModuleJar jar) {
    return look.jars().stream().anyMatch(other -> other.digest().equals(jar.digest()));
  }

  /** A jar was installed: what was held against its predecessors counts no more. */
  void accepted(ModuleJar jar) {
    refused.remove(jar.symbolicName());
    arrivals.values().removeIf(word -> word.jar.symbolicName().equals(jar.symbolicName()));
    removedByRequest.remove(jar.symbolicName());
  }

  /** What was removed by request stays away though its jar may still be in the folder. */
  void removedByRequest(String symbolicName) {
    removedByRequest.add(symbolicName);
  }

  boolean wasRemovedByRequest(String symbolicName) {
    return removedByRequest.contains(symbolicName);
  }

  /** Forgets what was decided about jars that are not in the folder any more. */
  void wanted(Set<String> names) {
    removedByRequest.retainAll(names);
    refused.keySet().removeIf(name -> !names.contains(name) && !installed.containsKey(name));
  }

  /** A bundle stays in the framework, because nobody can stop it. */
  void stuck(ModuleJar jar, long bundleId, String problem) {
    stuck.add(new Stuck(jar, bundleId, problem));
  }

  /** The last look at the folder. */
  Look look() {
    return look;
  }

  void looked(Look latest) {
    look = latest;
    Set<Path> there = new HashSet<>(latest.copying());
    latest.jars().forEach(jar -> there.add(jar.path()));
    arrivals.keySet().retainAll(there);
  }

  /** Jars that are installed or lie in the folder. */
  List<ModuleJar> known() {
    List<ModuleJar> known = new ArrayList<>(look.jars());
    installed.values().forEach(entry -> known.add(entry.jar));
    return known;
  }

  /** Digests of what is installed. */
  Set<String> digests() {
    Set<String> digests = new HashSet<>();
    installed.values().forEach(entry -> digests.add(entry.jar.digest()));
    return digests;
  }

  List<Deployment> list() {
    return published;
  }

  void publish() {
    List<Deployment> ledger = new ArrayList<>();
    installed.values().forEach(entry -> ledger.add(describe(entry)));
    Set<Refused> missing = new LinkedHashSet<>(refused.values());
    missing.addAll(arrivals.values());
    for (Refused jar : missing) {
      if (!installed.containsKey(jar.jar.symbolicName())) {
        ledger.add(notInstalled(jar.jar, "failed", jar.problem));
      }
    }
    for (ModuleJar jar : look.jars()) {
      if (isSuperseded(jar)) {
        ledger.add(
            notInstalled(
                jar,
                "superseded",
                "a jar with the same symbolic name came later; delete one of them"));
      }
    }
    look.unreadable()
        .forEach(
            (file, problem) -> {
              String name = file.getFileName().toString();
              ledger.add(
                  new Deployment(name, "", "", false, name, "unreadable", problem, -1, List.of()));
            });
    for (Stuck bundle : stuck) {
      ledger.add(
          new Deployment(
              bundle.jar.symbolicName(),
              bundle.jar.version().toString(),
              bundle.jar.digest(),
              shipped.test(bundle.jar.digest()),
              "",
              "stuck",
              bundle.problem,
              bundle.bundleId,
              List.of()));
    }
    published = List.copyOf(ledger);
  }

  private Deployment describe(Installed entry) {
    if (entry.modules.isEmpty()) {
      entry.modules = modules.of(entry.bundle).stream().sorted().toList();
    }
    Refused better = refused.get(entry.jar.symbolicName());
    String problem = entry.problem;
    if (better != null && !better.jar.digest().equals(entry.jar.digest())) {
      problem =
          "%s in %s was %s: %s"
              .formatted(better.jar.version(), better.jar.fileName(), better.word, better.problem);
    } else if (problem.isEmpty()) {
      problem = entry.notice.isEmpty() ? eclipse(entry) : entry.notice;
    }
    return new Deployment(
        entry.jar.symbolicName(),
        entry.version(),
        entry.jar.digest(),
        shipped.test(entry.jar.digest()),
        entry.inFolder && lies(entry.jar) ? entry.jar.fileName() : "",
        entry.state,
        problem,
        entry.bundle.getBundleId(),
        entry.modules);
  }

  /** Which bundle is preferred for a module of the same kind and name; empty when none is. */
  private String eclipse(Installed entry) {
    for (Installed other : installed.values()) {
      if (other.state.equals("active") && other.bundle.getBundleId() > entry.bundle.getBundleId()) {
        for (String module : entry.modules) {
          if (other.modules.contains(module)) {
            return "its %s is used only while %s has none: that was installed later"
                .formatted(module, other.jar.symbolicName());
          }
        }
      }
    }
    return "";
  }

  private boolean isSuperseded(ModuleJar jar) {
    Installed entry = installed.get(jar.symbolicName());
    return entry != null
        && entry.inFolder
        && !entry.jar.path().equals(jar.path())
        && !arrivals.containsKey(jar.path());
  }

  private Deployment notInstalled(ModuleJar jar, String state, String problem) {
    return new Deployment(
        jar.symbolicName(),
        jar.version().toString(),
        jar.digest(),
        shipped.test(jar.digest()),
        jar.fileName(),
        state,
        problem,
        -1,
        List.of());
  }
}
