package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals, kills and removes. All of it on the control lane, where nothing else is done and nothing
 * waits, so that a kill comes behind no launch; one look at the processes of the machine serves all
 * containers without a cgroup.
 */
final class Destroyer {
  private static final Logger LOG = LoggerFactory.getLogger(Destroyer.class);
  private static final int SIGKILL = 9;
  private static final long SWEEP_MILLIS = 20;

  /** A shim that was asked for a process has one after so long, or never. */
  static final Duration START_LIMIT = Duration.ofSeconds(30);

  private static final Duration STATUS_LIMIT = Duration.ofSeconds(1);

  /** Told what came of it, on the control lane. */
  interface Listener {
    /** No process of it is left. */
    void empty(ManagedContainer container, OptionalInt waitStatus);

    /** Its files and its cgroup are gone. */
    void deleted(ManagedContainer container);
  }

  /** One signal that is to be sent. */
  private record Signal(
      ManagedContainer container,
      Set<ManagedContainer> inner,
      int number,
      CompletableFuture<Boolean> sent) {}

  private final ScheduledExecutorService lane;
  private final Launcher launcher;
  private final Optional<Cgroups> cgroups;
  private final Members members;
  private final RuntimeFolder files;
  private final Listener listener;
  private final Metrics.Counter errors;

  // Of the control lane.
  /** Those to kill, with when none of their processes was seen for the first time; 0 before. */
  private final Map<ManagedContainer, Long> doomed = new HashMap<>();

  private final List<Signal> signals = new ArrayList<>();
  private final List<ManagedContainer> removing = new ArrayList<>();
  private boolean planned;

  Destroyer(
      ScheduledExecutorService lane,
      Launcher launcher,
      Optional<Cgroups> cgroups,
      Members members,
      RuntimeFolder files,
      Metrics.Counter errors,
      Listener listener) {
    this.lane = lane;
    this.launcher = launcher;
    this.cgroups = cgroups;
    this.members = members;
    this.files = files;
    this.errors = errors;
    this.listener = listener;
  }

  private void execute(Runnable work) {
    try {
      lane.execute(work);
    } catch (RejectedExecutionException e) {
      LOG.debug("Nothing more is done: the containerizer is closed");
    }
  }

  /** Kills its processes until there are none. */
  void kill(ManagedContainer container) {
    execute(
        () -> {
          doomed.putIfAbsent(container, 0L);
          plan(0);
        });
  }

  /**
   * Sends a signal to its processes.
   *
   * @param inner the containers in it, which get none
   * @param sent completes with whether there was a process
   */
  void signal(
      ManagedContainer container,
      Set<ManagedContainer> inner,
      int number,
      CompletableFuture<Boolean> sent) {
    execute(
        () -> {
          signals.add(new Signal(container, inner, number, sent));
          if (signals.size() == 1) {
            // Those that came meanwhile are sent by the same look at the machine.
            execute(this::send);
          }
        });
  }

  /** Deletes its files and its cgroup; nothing runs in it. */
  void remove(ManagedContainer container) {
    execute(() -> removed(container));
  }

  private void plan(long delayMillis) {
    if (!planned) {
      planned = true;
      try {
        lane.schedule(this::sweep, delayMillis, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("No more sweeps: the containerizer is closed");
      }
    }
  }

  private void send() {
    List<Signal> due = List.copyOf(signals);
    signals.clear();
    ProcFs.Shared snapshot = new ProcFs.Shared(Duration.ofDays(1));
    for (Signal signal : due) {
      try {
        Set<Long> pids = members.own(signal.container(), signal.inner(), snapshot::recent);
        launcher.signal(signal.number(), pids);
        signal.sent().complete(!pids.isEmpty());
      } catch (RuntimeException e) {
        signal.sent().completeExceptionally(e);
      }
    }
  }

  /** Kills what is left of every container that is being destroyed; one pass over all of them. */
  private void sweep() {
    planned = false;
    ProcFs.Shared snapshot = new ProcFs.Shared(Duration.ofDays(1));
    for (ManagedContainer container : List.copyOf(doomed.keySet())) {
      try {
        pursue(container, snapshot);
      } catch (RuntimeException e) {
        errors.increment();
        LOG.error("Killing container {} failed; it is tried again", container, e);
      }
    }
    List<ManagedContainer> again = List.copyOf(removing);
    removing.clear();
    again.forEach(this::removed);
    if (!doomed.isEmpty()) {
      plan(SWEEP_MILLIS);
    }
  }

  private void pursue(ManagedContainer container, ProcFs.Shared snapshot) {
    if (!container.listed()) {
      doomed.remove(container);
      return;
    }
    Optional<ShimProcess> process =
        container.process.or(() -> RuntimeFolder.process(container.folder));
    OptionalInt status = RuntimeFolder.status(container.folder);
    boolean asked = container.askedNanos != 0;
    if (process.isEmpty() && status.isEmpty() && asked) {
      if (!container.abandoned
          && System.nanoTime() - container.askedNanos < START_LIMIT.toNanos()) {
        return;
      }
      // Whatever has not begun by now never will.
      process = RuntimeFolder.process(files.withdraw(container.id));
    }
    if (container.process.isEmpty()) {
      container.process = process;
    }
    if (killed(container, snapshot)) {
      return;
    }
    if (process.isPresent() && status.isEmpty() && !over(container, process.get())) {
      return;
    }
    doomed.remove(container);
    listener.empty(container, status);
  }

  /** Kills what there is; false when there was nothing. */
  private boolean killed(ManagedContainer container, ProcFs.Shared snapshot) {
    if (container.process.isEmpty() && !members.grouped(container)) {
      return false;
    }
    Set<Long> pids = members.all(container, snapshot::recent);
    if (pids.isEmpty()) {
      return false;
    }
    doomed.put(container, 0L);
    Optional<Path> cgroup = container.cgroup;
    if (members.grouped(container) && cgroup.isPresent()) {
      if (cgroups.get().kill(cgroup.get())) {
        return true;
      }
      // Stopped, so that none is born while they are being listed.
      cgroups.get().freeze(cgroup.get());
      launcher.signal(SIGKILL, cgroups.get().processes(cgroup.get()));
      cgroups.get().thaw(cgroup.get());
    } else {
      launcher.signal(SIGKILL, pids);
    }
    return true;
  }

  /** Nothing runs any more: waits a moment for the shim's report. */
  private boolean over(ManagedContainer container, ShimProcess process) {
    long now = System.nanoTime();
    long since = doomed.get(container);
    if (since == 0) {
      doomed.put(container, now);
      return false;
    }
    long passed = now - since;
    // A shim that lives will report, however little of a processor a busy machine gives it.
    return passed >= STATUS_LIMIT.toNanos()
        && (passed >= START_LIMIT.toNanos() || !process.shimAlive());
  }

  private void removed(ManagedContainer container) {
    Optional<Path> cgroup = container.cgroup;
    if (cgroup.isPresent() && cgroups.isPresent() && !cgroups.get().remove(cgroup.get())) {
      // A process that was just reaped may still be accounted for.
      launcher.signal(SIGKILL, cgroups.get().processes(cgroup.get()));
      removing.add(container);
      plan(SWEEP_MILLIS);
      return;
    }
    try {
      files.delete(container.id);
    } catch (IOException | UncheckedIOException e) {
      errors.increment();
      LOG.warn("Cannot remove {}; it is removed when the agent starts again", container.folder, e);
    }
    listener.deleted(container);
  }
}
