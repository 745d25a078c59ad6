package org.mezzo.containerizer.processes;

import java.util.Optional;

/**
 * The first process of a container and the shim above it, each known by its start time, too: a
 * process with that pid and another start time is somebody else's.
 *
 * @param startTime in clock ticks since boot
 * @param shim 0 when it is not known
 * @param shimStartTime 0 when it is not known: then the shim counts as gone
 */
record ShimProcess(long pid, long startTime, long shim, long shimStartTime) {

  /** As the launcher writes it; empty when it is not that. */
  static Optional<ShimProcess> parse(String line) {
    String[] words = line.split(" ");
    try {
      return Optional.of(
          new ShimProcess(
              Long.parseLong(words[0]),
              Long.parseLong(words[1]),
              words.length > 2 ? Long.parseLong(words[2]) : 0,
              words.length > 3 ? Long.parseLong(words[3]) : 0));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  /** Whether the first process runs. */
  boolean alive() {
    return runs(pid, startTime);
  }

  /** Whether the shim is there and will report. */
  boolean shimAlive() {
    return runs(shim, shimStartTime);
  }

  /** Whether the process runs and nobody will ever report how it ended. */
  boolean unwatched() {
    return shimStartTime != 0 && alive() && !shimAlive();
  }

  /** The pid if no other process has it meanwhile; 0 otherwise. */
  long leader() {
    return ProcFs.stat(pid).map(stat -> stat.startTime() != startTime).orElse(false) ? 0 : pid;
  }

  private static boolean runs(long pid, long startTime) {
    return pid != 0
        && startTime != 0
        && ProcFs.stat(pid)
            .map(stat -> stat.startTime() == startTime && !stat.dead())
            .orElse(false);
  }
}
