package org.mezzo.containerizer;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Runs the containers of one agent. Safe for any thread; no method blocks but {@link #close}.
 * Stages complete on threads of the containerizer, which must not be held up.
 */
@ProviderType
public interface Containerizer extends AutoCloseable {

  /** Opens the containerizer of one agent, which must be alone on its runtime directory. */
  static Containerizer open(ContainerizerHost host, ContainerizerOptions options)
      throws IOException {
    return new org.mezzo.containerizer.processes.ProcessContainerizer(host, options);
  }

  /**
   * Makes the sandbox, fetches the URIs, prepares the isolators and starts the first process.
   *
   * @return completes when the process exists and is let go; exceptionally with {@link
   *     LaunchException}, in which case nothing of the container is left but its sandbox
   */
  CompletionStage<Launched> launch(LaunchRequest request);

  /** Sends a signal to every process of a container; unknown containers are ignored. */
  void signal(String containerId, int signal);

  /**
   * Kills every process of a container, including those that are born meanwhile. A launch under way
   * is cancelled.
   *
   * @return completes when none is left and isolators have cleaned up
   */
  CompletionStage<Void> destroy(String containerId);

  /** What a container uses now; empty when it is unknown or has ended. */
  CompletionStage<Optional<ResourceStatistics>> usage(String containerId);

  /** The parts of the container's status that isolators know, and the pid of its first process. */
  CompletionStage<ContainerStatus> status(String containerId);

  /**
   * Containers that are launched from now on are isolated by the modules of these names, once they
   * have opened; those that there are stay with the modules that prepared them.
   */
  void selectIsolation(List<String> isolation);

  /** Ids of the containers that are being launched, run or are being destroyed. */
  Set<String> containers();

  /**
   * Kills what an earlier agent process left running and forgets what it left behind. Call before
   * the first launch.
   *
   * @return the leftovers, with how they ended if that is known; completes when none runs any more
   */
  CompletionStage<List<Leftover>> destroyLeftovers();

  /** Destroys every container and ends; returns when all are gone or the time is over. */
  void close(Duration limit);

  @Override
  default void close() {
    close(Duration.ofSeconds(5));
  }

  /**
   * A container of an earlier agent process.
   *
   * @param termination how its first process ended before it was found
   */
  record Leftover(String containerId, Termination termination) {}

  /**
   * A container whose first process runs.
   *
   * @param pid of the first process, which is also its session
   * @param termination how the first process ended, once the agent knows. Part of the answer,
   *     because a container may be over and forgotten before anybody can ask for it. With isolators
   *     it completes after they have cleaned up, so that a limit only they know of is in it;
   *     without, what is left of the container is being destroyed meanwhile.
   */
  record Launched(String containerId, long pid, CompletionStage<Termination> termination) {}

  /**
   * A limit that made the agent destroy the container.
   *
   * @param reason a name of {@code TaskStatus.Reason}
   */
  record Limitation(Resources resources, String reason, String message) {}
}
