package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.agent.checks.Outcome;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says whether the agent's network is that of a task. Safe for any thread. */
final class NetworkNamespaces {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkNamespaces.class);

  private final Path proc;
  private final Path own;
  private final AtomicBoolean said = new AtomicBoolean();

  /**
   * Looks at processes below a folder.
   *
   * @param proc as {@code /proc}; without one no process has a network of its own
   */
  NetworkNamespaces(Path proc) {
    this.proc = proc;
    Path found;
    try {
      found = Files.readSymbolicLink(proc.resolve("self/ns/net"));
    } catch (IOException | UnsupportedOperationException e) {
      LOG.info("{} does not say in which network processes are: {}", proc, e.toString());
      found = null;
    }
    own = found;
  }

  /**
   * Where a process is.
   *
   * @param elsewhere whether in another network than the agent
   * @param obstacle what comes of a probe of it before anything is tried; empty: it can be tried
   */
  record Place(boolean elsewhere, Optional<Outcome> obstacle) {
    static final Place HERE = new Place(false, Optional.empty());
    static final Place ELSEWHERE = new Place(true, Optional.empty());

    static Place unknown(String why) {
      return new Place(false, Optional.of(new Outcome.Failed(why)));
    }
  }

  /** Where that process is. */
  Place of(long pid) {
    if (own == null) {
      return Place.HERE;
    }
    try {
      return Files.readSymbolicLink(proc.resolve(pid + "/ns/net")).equals(own)
          ? Place.HERE
          : Place.ELSEWHERE;
    } catch (NoSuchFileException e) {
      return Place.unknown("the task's first process is gone");
    } catch (AccessDeniedException e) {
      // An agent that may not look cannot have given the task a network either. Programs with
      // capabilities of their own are hidden from it.
      if (said.compareAndSet(false, true)) {
        LOG.warn(
            "The kernel does not let this account see the network of process {}; it is taken for"
                + " the agent's, as that of all such processes",
            pid);
      }
      return Place.HERE;
    } catch (IOException e) {
      return Place.unknown("the network of the task's process cannot be seen: " + e.getMessage());
    }
  }
}
