package org.mezzo.api.fetcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Starts programs of the machine that work for a fetch. None outlives its fetch or the agent, not
 * even one that is killed: a program leads a session of its own, and a shell that waits for the
 * agent kills all of its process group. Where the fetch is for one container that has a cgroup, the
 * program is in that as well, so that none gets away. Needs a shell at {@code /bin/sh} and {@code
 * setsid} in the {@code PATH} of the program. Safe for any thread.
 */
public final class Programs {
  /** Those that work for no container, or for several. */
  public static final Programs UNBOUND = new Programs(Optional.empty());

  private static final int LAST_WORDS_SECONDS = 5;

  /** Becomes the program, in a session and a group of its own, once it is in the cgroup. */
  private static final String BECOME =
      "[ -z \"$1\" ] || echo $$ >\"$1\" || exit 126; shift; exec \"$@\"";

  /**
   * Starts it, and waits for it and for what it leaves behind. The input is a pipe to the agent, on
   * which nothing ever comes but its end; whoever reads it kills then, and is outside of the
   * cgroup, which may be stopped.
   */
  private static final String BESIDE =
      "exec 4<&0 3<\"$2\" || exit 126; become=$1; shift 2;"
          + " setsid /bin/sh -c \"$become\" sh \"$@\" <&3 3<&- 4<&- & program=$!; exec 3<&-;"
          + " (exec >/dev/null 2>&1; read -r nothing <&4;"
          + " kill -s KILL -- -$program; kill -s KILL $program) & watch=$!;"
          + " exec >/dev/null 2>&1 4<&-; wait $program; status=$?;"
          + " kill -s KILL -- -$program; kill -s KILL $watch; wait $watch; exit $status";

  private final Optional<Path> cgroup;

  private Programs(Optional<Path> cgroup) {
    this.cgroup = cgroup;
  }

  /** Those that work for one container, in a cgroup of this process's to fill. */
  public static Programs in(Path cgroup) {
    return new Programs(Optional.of(cgroup));
  }

  /**
   * Starts one. It ends with its process group, whichever ends first; {@link #end} has to be
   * called.
   *
   * @param program its command, folder, environment, output and errors; no input
   * @param input what it reads; opened with the rights of the agent
   * @return the shell, which ends with the program and its exit status (128 and the number where a
   *     signal ended it); its input must not be closed before
   * @throws IOException when there is no such program in the {@code PATH} it is given
   */
  public Process start(ProcessBuilder program, Path input) throws IOException {
    List<String> command = program.command();
    require(command.get(0), program.environment());
    List<String> line =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                "-c",
                BESIDE,
                "sh",
                BECOME,
                input.toString(),
                cgroup.map(it -> it.resolve("cgroup.procs").toString()).orElse("")));
    line.addAll(command);
    try {
      return program.command(line).redirectInput(ProcessBuilder.Redirect.PIPE).start();
    } finally {
      program.command(command);
    }
  }

  /** Starts one that reads nothing; as above. */
  public Process start(ProcessBuilder program) throws IOException {
    return start(program, Path.of("/dev/null"));
  }

  /**
   * Looks for a program.
   *
   * @param environment whose {@code PATH} counts
   * @throws IOException when it is not there; names it
   */
  public static void require(String name, Map<String, String> environment) throws IOException {
    if (name.contains("/") ? Files.isExecutable(Path.of(name)) : found(name, environment)) {
      return;
    }
    throw new IOException(name + " is needed and is not installed");
  }

  private static boolean found(String name, Map<String, String> environment) {
    for (String folder : environment.getOrDefault("PATH", "/usr/bin:/bin").split(":")) {
      Path candidate = Path.of(folder).resolve(name);
      if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
        return true;
      }
    }
    return false;
  }

  /** Kills a program with its process group, and waits until it has ended. Blocks for a moment. */
  public static void end(Process program) {
    List<ProcessHandle> children = program.descendants().toList();
    try {
      program.getOutputStream().close();
    } catch (IOException e) {
      // It has ended, or is killed below.
    }
    if (hasEnded(program)) {
      return;
    }
    children.forEach(ProcessHandle::destroyForcibly);
    program.destroyForcibly();
    hasEnded(program);
  }

  /** An interrupt of whoever ends it must not keep it from being ended. */
  private static boolean hasEnded(Process program) {
    return program
        .onExit()
        .thenApply(ended -> true)
        .completeOnTimeout(false, LAST_WORDS_SECONDS, TimeUnit.SECONDS)
        .join();
  }
}
