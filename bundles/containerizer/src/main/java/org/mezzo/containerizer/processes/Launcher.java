package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Feature;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Makes the first processes of containers, each below a shim that outlives the agent. What becomes
 * of them stands in files of the container's folder: {@code pid} with the process and its shim,
 * each with its start time, before anything of the command runs, and {@code status} with the raw
 * wait status; what is told to the {@link Listener} only says sooner what is there. Safe for any
 * thread.
 */
interface Launcher extends AutoCloseable {

  /** Told what shims report, on one thread; must not block for long. */
  interface Listener {
    /** The first process exists, below its shim. */
    void started(String key, ShimProcess process);

    /**
     * The first process ended.
     *
     * @param pid of the process, by which one of an earlier container of that name is told
     */
    void exited(String key, long pid, int waitStatus);

    /** The shim could not start the first process. */
    void failed(String key, String reason);

    /** Launches that were not reported will not be. */
    void lost();

    /** Its shim died before it; what ran in it was killed. */
    void lost(String key, String reason);

    /** A program that reads output reads no more, or not to the end; the file has the rest. */
    void helperLost(String key, String reason);

    /** What became of a memory cgroup that was to be watched. */
    void memory(Path cgroup, CgroupWatch.News news);
  }

  /** What a launcher may be able to do for what a container reads and writes. */
  enum Stream {
    /** Others read its output and write its input. */
    ATTACH,
    /** It has a terminal. */
    TERMINAL,
    /** The files of its output are kept small. */
    ROTATION,
    /** Programs outside of it read its output. */
    OUTPUT_HELPER;

    /** As people and protocols know it. */
    String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * What to start. Everything is resolved: names of users to their numbers, variables and limits of
   * isolators joined with the request's.
   *
   * @param key names the container in what is reported; the path of {@code folder} below that of
   *     all
   * @param folder of the container's files; exists
   * @param sandbox where it starts, and where {@code stdout} and {@code stderr} are
   * @param account to become; empty for the agent's own
   * @param plan of which only {@link #features} are asked for
   * @param cgroup to enter before anything else
   * @param held whether the process waits for {@link #release} before it becomes the command
   * @param io what it reads and writes
   * @param logs what becomes of its output where that is kept
   * @param network a process whose network namespace it enters; only of launchers that {@linkplain
   *     #entersNetworks can}
   * @param mounting in which mount namespace it begins; something only of launchers without a
   *     {@linkplain #mountObstacle reason} against it
   */
  record Start(
      String key,
      Path folder,
      Path sandbox,
      CommandInfo command,
      Map<String, String> environment,
      Optional<Accounts.Account> account,
      LaunchPlan plan,
      Optional<Path> cgroup,
      boolean held,
      ContainerIo io,
      LogPlan logs,
      Optional<ShimProcess> network,
      Mounting mounting) {}

  /** What it can carry out of the plans of isolators. */
  Set<Feature> features();

  /** What it can do for what a container reads and writes, beside opening files. */
  Set<Stream> streams();

  /** Whether it can have a container begin in the network namespace of another process. */
  boolean entersNetworks();

  /**
   * Why containers cannot have mount namespaces, with the remedy, for people; empty where they can.
   */
  Optional<String> mountObstacle();

  /**
   * Asks for a container to be started; what comes of it is reported.
   *
   * @throws LaunchException when that cannot be, and nothing was asked for
   */
  void launch(Start start) throws LaunchException, IOException;

  /** Lets a held container go on; once it goes on, nothing. */
  void release(Path folder) throws IOException;

  /** Sends a signal; processes that are gone are ignored. Waits behind no launch. */
  void signal(int signal, Collection<Long> pids);

  /**
   * Has the kernel tell when a memory cgroup of version 1 runs out of memory, as long as there is
   * the cgroup; what comes of it is reported, also when it was asked for before.
   *
   * @param cgroup its folder, absolute
   */
  void watchMemory(Path cgroup);

  /** What a cgroup says is reported no more; the kernel forgets it when it is removed. */
  void unwatchMemory(Path cgroup);

  /**
   * Ends; shims go on, and what they report from now on stands in their files.
   *
   * @param left whether containers are left for another agent process
   */
  void close(boolean left);

  @Override
  default void close() {
    close(true);
  }
}
