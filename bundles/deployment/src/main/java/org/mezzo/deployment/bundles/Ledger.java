package org.mezzo.deployment.bundles;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.folder.ModuleFolder.Look;
import org.mezzo.deployment.folder.ModuleJar;

/**
 * What is installed, what was refused and what the module folder holds. Only deployment's thread
 * changes it; what it published can be read by any.
 */
final class Ledger {
  /** A jar that was tried and is not tried again until it changes. */
  record Refused(ModuleJar jar, String problem) {}

  private final DeclaredModules modules;
  private final Map<String, Installed> installed = new TreeMap<>();
  private final Map<String, Refused> refused = new HashMap<>();
  private final Set<String> removedByRequest = new HashSet<>();
  private Look look = new Look(List.of(), Set.of(), Map.of());
  private volatile List<Deployment> published = List.of();

  Ledger(DeclaredModules modules) {
    this.modules = modules;
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

  void put(Installed entry) {
    installed.put(entry.jar.symbolicName(), entry);
  }

  void remove(Installed entry) {
    installed.remove(entry.jar.symbolicName());
  }

  void refuse(ModuleJar jar, String problem) {
    refused.put(jar.symbolicName(), new Refused(jar, problem));
  }

  boolean isRefused(ModuleJar jar) {
    Refused last = refused.get(jar.symbolicName());
    return last != null && last.jar.digest().equals(jar.digest());
  }

  /** Whether a refused jar lies where it lay when it was refused, and has not come again. */
  boolean isSameArrival(ModuleJar jar) {
    ModuleJar last = refused.get(jar.symbolicName()).jar;
    return last.path().equals(jar.path()) && last.arrivedMillis() == jar.arrivedMillis();
  }

  /** Why a refused jar was refused. */
  String problem(ModuleJar jar) {
    return refused.get(jar.symbolicName()).problem;
  }

  /** What the folder has is what is installed. */
  void agreed(Installed entry, ModuleJar jar) {
    entry.jar = jar;
    entry.inFolder = true;
    refused.remove(jar.symbolicName());
  }

  /** A jar was installed: what was held against its predecessors counts no more. */
  void accepted(ModuleJar jar) {
    refused.remove(jar.symbolicName());
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

  /** The last look at the folder. */
  Look look() {
    return look;
  }

  void looked(Look latest) {
    look = latest;
  }

  List<Deployment> list() {
    return published;
  }

  void publish() {
    List<Deployment> ledger = new ArrayList<>();
    installed.values().forEach(entry -> ledger.add(describe(entry)));
    for (Refused jar : refused.values()) {
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
              ledger.add(new Deployment(name, "", name, "unreadable", problem, -1, List.of()));
            });
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
          better.jar.version() + " in " + better.jar.fileName() + " was refused: " + better.problem;
    }
    return new Deployment(
        entry.jar.symbolicName(),
        entry.version(),
        entry.inFolder ? entry.jar.fileName() : "",
        entry.state,
        problem,
        entry.bundle.getBundleId(),
        entry.modules);
  }

  private boolean isSuperseded(ModuleJar jar) {
    Installed entry = installed.get(jar.symbolicName());
    Refused last = refused.get(jar.symbolicName());
    return entry != null
        && entry.inFolder
        && !entry.jar.path().equals(jar.path())
        && (last == null || !last.jar.path().equals(jar.path()));
  }

  private static Deployment notInstalled(ModuleJar jar, String state, String problem) {
    return new Deployment(
        jar.symbolicName(),
        jar.version().toString(),
        jar.fileName(),
        state,
        problem,
        -1,
        List.of());
  }
}
