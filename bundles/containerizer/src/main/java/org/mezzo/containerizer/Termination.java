package org.mezzo.containerizer;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How the first process of a container ended.
 *
 * @param waitStatus raw, as of {@code wait(2)}; empty when it was not recorded
 * @param limitation set when the container was destroyed because it reached a limit
 */
public record Termination(OptionalInt waitStatus, Optional<Containerizer.Limitation> limitation) {

  /** It ended and nobody saw how. */
  public static final Termination UNKNOWN = new Termination(OptionalInt.empty(), Optional.empty());

  private static final String[] SIGNALS = {
    "",
    "Hangup",
    "Interrupt",
    "Quit",
    "Illegal instruction",
    "Trace/breakpoint trap",
    "Aborted",
    "Bus error",
    "Floating point exception",
    "Killed",
    "User defined signal 1",
    "Segmentation fault",
    "User defined signal 2",
    "Broken pipe",
    "Alarm clock",
    "Terminated",
    "Stack fault",
    "Child exited",
    "Continued",
    "Stopped (signal)",
    "Stopped",
    "Stopped (tty input)",
    "Stopped (tty output)",
    "Urgent I/O condition",
    "CPU time limit exceeded",
    "File size limit exceeded",
    "Virtual timer expired",
    "Profiling timer expired",
    "Window changed",
    "I/O possible",
    "Power failure",
    "Bad system call"
  };

  /** Known by its raw wait status. */
  public static Termination of(int waitStatus) {
    return new Termination(OptionalInt.of(waitStatus), Optional.empty());
  }

  /** The same, because of a limit. */
  public Termination because(Containerizer.Limitation limit) {
    return new Termination(waitStatus, Optional.of(limit));
  }

  /** Whether it exited with status 0. */
  public boolean succeeded() {
    return waitStatus.isPresent() && waitStatus.getAsInt() == 0;
  }

  /** The exit status; empty when a signal ended it or nothing is known. */
  public OptionalInt exitStatus() {
    return waitStatus.isPresent() && (waitStatus.getAsInt() & 0x7f) == 0
        ? OptionalInt.of(waitStatus.getAsInt() >> 8)
        : OptionalInt.empty();
  }

  /** The signal that ended it; empty when it exited or nothing is known. */
  public OptionalInt signal() {
    return waitStatus.isPresent() && (waitStatus.getAsInt() & 0x7f) != 0
        ? OptionalInt.of(waitStatus.getAsInt() & 0x7f)
        : OptionalInt.empty();
  }

  /** In the words of rule 204, for example {@code exited with status 3}. */
  public String describe() {
    if (signal().isPresent()) {
      return "terminated with signal "
          + signalText(signal().getAsInt())
          + ((waitStatus.getAsInt() & 0x80) != 0 ? " (core dumped)" : "");
    }
    return exitStatus().isPresent()
        ? "exited with status " + exitStatus().getAsInt()
        : "ended with an unknown status";
  }

  private static String signalText(int signal) {
    if (signal < SIGNALS.length) {
      return SIGNALS[signal];
    }
    return signal >= 34 && signal <= 64
        ? "Real-time signal " + (signal - 34)
        : "Unknown signal " + signal;
  }
}
