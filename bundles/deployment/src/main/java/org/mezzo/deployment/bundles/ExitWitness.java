package org.mezzo.deployment.bundles;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.mezzo.deployment.folder.ModuleJar;
import org.osgi.framework.Bundle;

/** Tells, while a process ends, which class has ended it. */
final class ExitWitness {
  private ExitWitness() {}

  /**
   * The class of a guest that called {@code System.exit}, which waits there for the end.
   *
   * @param stacks of all threads
   * @param guest whether a class, by its name, is a guest's
   * @return empty when the process ends for another reason
   */
  static Optional<String> culprit(
      Map<Thread, StackTraceElement[]> stacks, Predicate<String> guest) {
    for (StackTraceElement[] stack : stacks.values()) {
      boolean exits = false;
      for (StackTraceElement frame : stack) {
        exits |=
            frame.getClassName().equals("java.lang.Runtime")
                && frame.getMethodName().equals("exit");
        if (exits && guest.test(frame.getClassName())) {
          return Optional.of(frame.getClassName());
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Of several bundles with that class those that are being started or opened, else those that
   * serve, and not what is kept to go back to.
   *
   * @param holders of the class
   * @param trials digests of what is being started or opened
   * @param serving bundles that serve
   */
  static Collection<ModuleJar> suspects(
      Map<Bundle, ModuleJar> holders, Collection<String> trials, Set<Bundle> serving) {
    List<ModuleJar> tried =
        holders.values().stream().filter(jar -> trials.contains(jar.digest())).toList();
    if (!tried.isEmpty()) {
      return tried;
    }
    List<ModuleJar> using =
        holders.entrySet().stream()
            .filter(holder -> serving.contains(holder.getKey()))
            .map(Map.Entry::getValue)
            .toList();
    return using.isEmpty() ? holders.values() : using;
  }
}
