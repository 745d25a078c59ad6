package org.mezzo.containerizer.processes;

import java.util.List;
import java.util.Optional;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.containerizer.ContainerVolume;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;

/** One launch on its way. What a step has found out, the steps after it use. */
final class Launch {
  final LaunchRequest request;

  final List<ContainerVolume> volumes;

  /** Whether it has a mount namespace of its own, and its volumes are mounted. */
  final boolean mounting;

  /** What is mounted for it, in that order, as far as it is known. */
  volatile List<Mounting.Mount> mounts = List.of();

  /** The account to switch to; empty when it runs as the agent itself. */
  volatile Optional<Accounts.Account> account = Optional.empty();

  /** That of the container around it; empty as above, and where nothing is asked of that. */
  volatile Optional<Accounts.Account> around = Optional.empty();

  /** Whether the folder of its files is there, and its cgroup. */
  volatile boolean room;

  /** What isolators want of the launcher. */
  volatile LaunchPlan plan = LaunchPlan.NONE;

  private boolean cancelled;
  private Runnable hook = () -> {};

  Launch(LaunchRequest request, List<ContainerVolume> volumes, boolean mounting) {
    this.request = request;
    this.volumes = volumes;
    this.mounting = mounting;
  }

  /** What ends the step that begins now; called at once when the launch is cancelled already. */
  void onCancel(Runnable ends) {
    synchronized (this) {
      hook = ends;
      if (!cancelled) {
        return;
      }
    }
    ends.run();
  }

  /** Ends the step under way soon, and lets no other begin. */
  void cancel() {
    Runnable ends;
    synchronized (this) {
      cancelled = true;
      ends = hook;
    }
    ends.run();
  }

  /** Ends the step when the launch is cancelled. */
  synchronized void check() throws LaunchException {
    if (cancelled) {
      throw unwanted();
    }
  }

  static LaunchException unwanted() {
    return new LaunchException("The container was destroyed while it was being prepared");
  }
}
