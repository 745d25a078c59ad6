package org.mezzo.containerizer.processes;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.mezzo.containerizer.LaunchException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices the containers whose shim has died, or reported while nobody listened, and those that
 * never get a process. On the control lane.
 */
final class Reaper {
  private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);

  /** How often it looks. */
  static final Duration PERIOD = Duration.ofSeconds(5);

  /** Told what it found, on the control lane. */
  interface Listener {
    /** The first process is gone. */
    void ended(ManagedContainer container, OptionalInt waitStatus);

    /** There is no process and there will be none. */
    void unstarted(ManagedContainer container, LaunchException why);

    /** The first process runs and its shim is gone, and whoever should have seen that is, too. */
    void unwatched(ManagedContainer container);
  }

  private final ContainerTable table;
  private final Listener listener;

  /** Whose process or shim was gone when it was looked at last, and had not been reported. */
  private Set<ManagedContainer> missed = new HashSet<>();

  Reaper(ContainerTable table, Listener listener) {
    this.table = table;
    this.listener = listener;
  }

  /** Looks once at all. */
  void look() {
    try {
      Set<ManagedContainer> missing = new HashSet<>();
      for (ManagedContainer container : table.all()) {
        if (container.found.isEmpty()) {
          look(container, missing);
        }
      }
      missed = missing;
    } catch (RuntimeException e) {
      LOG.error("Looking for lost containers failed; it is tried again", e);
    }
  }

  private void look(ManagedContainer container, Set<ManagedContainer> missing) {
    long asked = container.askedNanos;
    switch (container.state) {
      case CREATED -> {
        if (asked != 0 && System.nanoTime() - asked > Destroyer.START_LIMIT.toNanos()) {
          listener.unstarted(
              container, new LaunchException("The shim did not start the container in time"));
        }
      }
      case ISOLATING, RUNNING -> {
        Optional<ShimProcess> process = container.process;
        if (process.isEmpty()) {
          return;
        }
        if (process.get().unwatched()) {
          if (missed.contains(container)) {
            listener.unwatched(container);
          }
          missing.add(container);
          return;
        }
        if (process.get().alive()) {
          return;
        }
        OptionalInt status = RuntimeFolder.status(container.folder);
        if (status.isEmpty() && (process.get().shimAlive() || !missed.contains(container))) {
          missing.add(container);
          return;
        }
        if (status.isEmpty()) {
          LOG.warn("Container {} ended and its shim did not say so", container);
        }
        listener.ended(container, status);
      }
      default -> {}
    }
  }
}
