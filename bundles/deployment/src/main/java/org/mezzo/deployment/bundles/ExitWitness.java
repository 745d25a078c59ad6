package org.mezzo.deployment.bundles;

import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

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
}
