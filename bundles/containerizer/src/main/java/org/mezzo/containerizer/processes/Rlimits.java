package org.mezzo.containerizer.processes;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import org.mezzo.api.isolator.LaunchPlan.Rlimit;
import org.mezzo.containerizer.LaunchException;

/** Limits of processes as options of prlimit(1). */
final class Rlimits {
  private static final String PREFIX = "RLIMIT_";
  private static final Set<String> NAMES =
      Set.of(
          "AS",
          "CORE",
          "CPU",
          "DATA",
          "FSIZE",
          "LOCKS",
          "MEMLOCK",
          "MSGQUEUE",
          "NICE",
          "NOFILE",
          "NPROC",
          "RSS",
          "RTPRIO",
          "RTTIME",
          "SIGPENDING",
          "STACK");

  private Rlimits() {}

  /**
   * The option for one limit.
   *
   * @param name as in setrlimit(2)
   */
  static String option(String name, Rlimit limit) throws LaunchException {
    check(name);
    return "--"
        + name.substring(PREFIX.length()).toLowerCase(Locale.ROOT)
        + "="
        + text(limit.soft())
        + ":"
        + text(limit.hard());
  }

  /**
   * Whether there is such a limit.
   *
   * @param name as in setrlimit(2)
   */
  static void check(String name) throws LaunchException {
    if (!name.startsWith(PREFIX) || !NAMES.contains(name.substring(PREFIX.length()))) {
      throw new LaunchException(
          "'" + name + "' is no limit of processes; there are RLIMIT_ with " + sorted());
    }
  }

  private static String sorted() {
    return String.join(", ", new java.util.TreeSet<>(NAMES));
  }

  private static String text(OptionalLong value) {
    return value.isPresent() ? Long.toUnsignedString(value.getAsLong()) : "unlimited";
  }
}
