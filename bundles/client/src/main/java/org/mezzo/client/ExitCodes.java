package org.mezzo.client;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/** What a shell would answer for a task's last status. */
final class ExitCodes {
  /** As the timeout command answers. */
  static final int TIMED_OUT = 124;

  /** Nothing more is known than that it failed. */
  static final int FAILED = 1;

  private static final int SIGNALLED = 128;
  private static final int SIGTERM = 15;

  private static final Pattern EXITED = Pattern.compile("exited with status (\\d+)");
  private static final Pattern TERMINATED = Pattern.compile("terminated with signal ([\\w ]+)");

  /** By name and by the text of the C library, of which a message has one or the other. */
  private static final Map<String, Integer> SIGNALS =
      Map.ofEntries(
          Map.entry("SIGHUP", 1),
          Map.entry("Hangup", 1),
          Map.entry("SIGINT", 2),
          Map.entry("Interrupt", 2),
          Map.entry("SIGQUIT", 3),
          Map.entry("Quit", 3),
          Map.entry("SIGILL", 4),
          Map.entry("Illegal instruction", 4),
          Map.entry("SIGTRAP", 5),
          Map.entry("SIGABRT", 6),
          Map.entry("Aborted", 6),
          Map.entry("SIGBUS", 7),
          Map.entry("Bus error", 7),
          Map.entry("SIGFPE", 8),
          Map.entry("Floating point exception", 8),
          Map.entry("SIGKILL", 9),
          Map.entry("Killed", 9),
          Map.entry("SIGUSR1", 10),
          Map.entry("User defined signal 1", 10),
          Map.entry("SIGSEGV", 11),
          Map.entry("Segmentation fault", 11),
          Map.entry("SIGUSR2", 12),
          Map.entry("User defined signal 2", 12),
          Map.entry("SIGPIPE", 13),
          Map.entry("Broken pipe", 13),
          Map.entry("SIGALRM", 14),
          Map.entry("Alarm clock", 14),
          Map.entry("SIGTERM", SIGTERM),
          Map.entry("Terminated", SIGTERM),
          Map.entry("SIGXCPU", 24),
          Map.entry("SIGXFSZ", 25));

  private ExitCodes() {}

  /** Rule 204. */
  static int of(TaskStatus status) {
    if (status.getState() == TaskState.TASK_FINISHED) {
      return 0;
    }
    Matcher exited = EXITED.matcher(status.getMessage());
    if (status.getState() == TaskState.TASK_FAILED && exited.find()) {
      int code = Integer.parseInt(exited.group(1)) & 0xff;
      return code == 0 ? FAILED : code;
    }
    Matcher terminated = TERMINATED.matcher(status.getMessage());
    if (terminated.find()) {
      Integer signal = SIGNALS.get(terminated.group(1).strip());
      if (signal != null) {
        return SIGNALLED + signal;
      }
      String number = terminated.group(1).replaceAll("\\D", "");
      return number.isEmpty() ? FAILED : SIGNALLED + Integer.parseInt(number);
    }
    return status.getState() == TaskState.TASK_KILLED ? SIGNALLED + SIGTERM : FAILED;
  }
}
